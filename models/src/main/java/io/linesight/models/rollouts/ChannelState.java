package io.linesight.models.rollouts;

import io.linesight.schemas.Rollout;
import java.util.List;
import java.util.Optional;

/**
 * A rollout channel.
 *
 * @param channel its name
 * @param inForce the newest record that counted, not to be changed; empty before the first
 * @param history everything that was ever written, oldest first
 */
public record ChannelState(String channel, Optional<Rollout> inForce, List<HistoryEntry> history) {
    public ChannelState {
        history = List.copyOf(history);
    }

    static ChannelState empty(String channel) {
        return new ChannelState(channel, Optional.empty(), List.of());
    }

    /** Of the record in force; 0 before the first. */
    public long revision() {
        return inForce.map(Rollout::getRevision).orElse(0L);
    }

    /** Records that counted, oldest first. */
    public List<Rollout> decisions() {
        return history.stream()
                .filter(HistoryEntry::counted)
                .map(e -> e.rollout().orElseThrow())
                .toList();
    }
}

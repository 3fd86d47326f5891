package io.linesight.models.rollouts;

import io.linesight.models.signing.TrustedKeys;
import io.linesight.schemas.ModelStatus;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.Rollout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Folds the records of the registry's topics into a state. One thread.
 *
 * <p>Whether a rollout counts depends on the rollouts topic alone, never on what other topics hold or on which keys are
 * trusted: those are read at different speeds, differ from place to place and change (an old version is removed), and
 * then two readers would count differently.
 */
final class RegistryFold {
    private final TrustedKeys trusted;
    private final Map<String, PublishedVersion> versions = new HashMap<>();
    private final Map<String, Channel> channels = new HashMap<>();
    private final Map<String, ModelStatus> statuses = new LinkedHashMap<>();
    private RegistryState snapshot = RegistryState.EMPTY;
    private boolean changed;

    private static final class Channel {
        private final List<HistoryEntry> history = new ArrayList<>();
        private Rollout inForce;
    }

    RegistryFold(TrustedKeys trusted) {
        this.trusted = trusted;
    }

    /** @param manifest null removes the version */
    void version(String key, @Nullable ModelVersion manifest) {
        changed = true;
        if (manifest == null) versions.remove(key);
        // Under another key it could stand beside the true one, or hide it.
        else if (manifest.getVersion().equals(key))
            versions.put(key, new PublishedVersion(manifest, trusted.verify(manifest)));
    }

    void status(String key, @Nullable ModelStatus status) {
        changed = true;
        statuses.remove(key); // the newest goes to the end
        if (status != null) statuses.put(key, status);
    }

    void rollout(long offset, String key, Rollout rollout) {
        changed = true;
        Channel c = channels.computeIfAbsent(key, k -> new Channel());
        String rejection = rejection(key, c.inForce, rollout);
        c.history.add(new HistoryEntry(offset, Optional.of(rollout), rejection.isEmpty(), rejection));
        if (rejection.isEmpty()) c.inForce = rollout;
    }

    void unreadableRollout(long offset, String key, String why) {
        changed = true;
        channels.computeIfAbsent(key, k -> new Channel())
                .history
                .add(new HistoryEntry(offset, Optional.empty(), false, "it cannot be read: " + why));
    }

    private static String rejection(String key, @Nullable Rollout inForce, Rollout r) {
        long revision = inForce == null ? 0 : inForce.getRevision();
        if (!r.getChannel().equals(key))
            return "it was written under the key '" + key + "', but is about the channel '" + r.getChannel() + "'";
        if (r.getBasedOn() != revision) {
            return r.getBasedOn() < revision
                    ? "it was based on revision " + r.getBasedOn() + ", but " + revision
                            + " was in force by then: another decision was faster"
                    : "it was based on revision " + r.getBasedOn() + ", which was never in force; " + revision + " was";
        }
        if (r.getRevision() != revision + 1)
            return "it calls itself revision " + r.getRevision() + ", but after " + revision + " comes "
                    + (revision + 1);
        if (r.getAutomatic() && inForce != null && inForce.getPinned())
            return "it was an automatic change, and the channel was pinned";
        return "";
    }

    /** The state now; the same object as long as nothing changes. */
    RegistryState snapshot() {
        if (changed) {
            Map<String, ChannelState> states = new HashMap<>();
            channels.forEach(
                    (name, c) -> states.put(name, new ChannelState(name, Optional.ofNullable(c.inForce), c.history)));
            snapshot = new RegistryState(versions, states, List.copyOf(statuses.values()));
            changed = false;
        }
        return snapshot;
    }
}

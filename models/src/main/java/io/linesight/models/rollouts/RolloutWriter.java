package io.linesight.models.rollouts;

import io.linesight.models.rollouts.RolloutException.Kind;
import io.linesight.schemas.Rollout;
import io.linesight.schemas.registry.RegistryException;
import java.time.Duration;
import java.util.function.Function;
import org.apache.kafka.common.KafkaException;

/**
 * Makes decisions: reads the newest state, applies the rules, writes, and waits until the registry shows which decision
 * won. Safe to share between threads; owns nothing.
 */
public final class RolloutWriter {
    private final ModelRegistry registry;
    private final ModelRegistryView view;
    private final Duration timeout;

    /** @param timeout how long to wait for the view, before and after writing */
    public RolloutWriter(ModelRegistry registry, ModelRegistryView view, Duration timeout) {
        this.registry = registry;
        this.view = view;
        this.timeout = timeout;
    }

    /**
     * Takes one decision.
     *
     * @param channel it is about
     * @param rule one of {@link RolloutRules}, given the newest state
     * @return the record, which is in force now
     * @throws RolloutException if it did not come into force, or perhaps did not
     */
    public Rollout decide(String channel, Function<RegistryState, Decision> rule)
            throws RolloutException, InterruptedException {
        if (!view.awaitCaughtUp(timeout)) {
            throw new RolloutException(
                    Kind.UNAVAILABLE,
                    "what is in force for '" + channel + "' cannot be seen: " + view.obstacle()
                            + "; nothing was decided. Try again when that is fixed",
                    null);
        }
        Decision decision = rule.apply(view.state());
        if (decision instanceof Decision.Rejected rejected)
            throw new RolloutException(Kind.REJECTED, rejected.reason(), null);
        Rollout next = ((Decision.Next) decision).rollout();
        if (!next.getChannel().equals(channel))
            throw new IllegalArgumentException(
                    "the rule decided about '" + next.getChannel() + "' instead of '" + channel + "'");
        long offset = write(next);
        ensureInForce(next, offset);
        return next;
    }

    private long write(Rollout next) throws RolloutException {
        try {
            return registry.write(next);
        } catch (RegistryException e) {
            throw new RolloutException(
                    Kind.UNAVAILABLE,
                    "the decision was not written: " + e.getMessage() + ". Nothing was decided; try again",
                    e);
        } catch (KafkaException e) {
            throw new RolloutException(
                    Kind.UNCERTAIN, e.getMessage() + ". Look at the history first: it may have been written", e);
        }
    }

    private void ensureInForce(Rollout next, long offset) throws RolloutException, InterruptedException {
        if (!view.awaitCaughtUp(timeout)) {
            throw new RolloutException(
                    Kind.UNCERTAIN,
                    "the decision was written, but whether it came into force cannot be seen: " + view.obstacle()
                            + "; look at the history when that is fixed",
                    null);
        }
        ChannelState channel = view.state().channel(next.getChannel());
        boolean counted = channel.history().stream().anyMatch(entry -> entry.offset() == offset && entry.counted());
        if (counted) return;
        String winner = channel.decisions().stream()
                .filter(r -> r.getRevision() == next.getRevision())
                .map(Rollout::getBy)
                .findFirst()
                .orElse("somebody else");
        throw new RolloutException(
                Kind.OVERTAKEN,
                "another rollout was decided at the same time by " + winner + "; look at it and decide again",
                null);
    }
}

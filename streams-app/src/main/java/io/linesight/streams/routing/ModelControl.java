package io.linesight.streams.routing;

import io.linesight.mmad.score.Scorer;
import io.linesight.streams.serving.ModelSource;
import io.linesight.streams.serving.ModelTrust;
import io.linesight.streams.serving.RolloutDecision;
import io.linesight.streams.serving.RolloutFeed;
import java.io.IOException;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Which models an app serves. Whoever made the parts closes them, after the app.
 *
 * @param feed the decisions of the configured channel, or {@link RolloutFeed#FIXED}
 * @param source where checkpoints come from
 * @param trust whose checkpoints are served
 * @param canary which frames a challenger decides
 * @param shadow which frames a challenger scores beside the champion
 * @param decision asked when a guard tripped
 * @param scorer opens what serves while no decision names a champion, instead of the configured checkpoint; the app
 *     closes it. Null for the configured checkpoint
 */
public record ModelControl(
        RolloutFeed feed,
        ModelSource source,
        ModelTrust trust,
        FrameSelector canary,
        FrameSelector shadow,
        RolloutDecision decision,
        @Nullable Supplier<Scorer> scorer) {
    public ModelControl {
        Objects.requireNonNull(feed, "feed");
        Objects.requireNonNull(source, "source");
        Objects.requireNonNull(trust, "trust");
        Objects.requireNonNull(canary, "canary");
        Objects.requireNonNull(shadow, "shadow");
        Objects.requireNonNull(decision, "decision");
    }

    /** The rollouts of a channel; until its first champion the configured checkpoint serves. */
    public ModelControl(
            RolloutFeed feed,
            ModelSource source,
            ModelTrust trust,
            FrameSelector canary,
            FrameSelector shadow,
            RolloutDecision decision) {
        this(feed, source, trust, canary, shadow, decision, null);
    }

    /** The configured checkpoint for good. */
    public static ModelControl fixed() {
        return new ModelControl(
                RolloutFeed.FIXED,
                (version, directory) -> {
                    throw new IOException("a fixed checkpoint has no store");
                },
                version -> {},
                (rollout, camera, product, frame) -> false,
                (rollout, camera, product, frame) -> false,
                (action, basedOn, version, reason) -> {});
    }

    /** The same, with another scorer in place of the configured checkpoint. */
    public ModelControl withScorer(Supplier<Scorer> opened) {
        return new ModelControl(feed, source, trust, canary, shadow, decision, opened);
    }

    /** Whether there are decisions to follow, and somebody to report to. */
    public boolean followsChannel() {
        return feed != RolloutFeed.FIXED;
    }
}

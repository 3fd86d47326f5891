package io.linesight.streams.routing;

import io.linesight.streams.serving.ModelSource;
import io.linesight.streams.serving.ModelTrust;
import io.linesight.streams.serving.RolloutDecision;
import io.linesight.streams.serving.RolloutFeed;
import java.util.Objects;

/**
 * What an app needs to follow rollouts. Whoever made the parts closes them, after the app.
 *
 * @param feed the decisions of the configured channel
 * @param source where checkpoints come from
 * @param trust whose checkpoints are served
 * @param canary which frames a challenger decides
 * @param shadow which frames a challenger scores beside the champion
 * @param decision asked when a guard tripped
 */
public record ModelControl(
        RolloutFeed feed,
        ModelSource source,
        ModelTrust trust,
        FrameSelector canary,
        FrameSelector shadow,
        RolloutDecision decision) {
    public ModelControl {
        Objects.requireNonNull(feed, "feed");
        Objects.requireNonNull(source, "source");
        Objects.requireNonNull(trust, "trust");
        Objects.requireNonNull(canary, "canary");
        Objects.requireNonNull(shadow, "shadow");
        Objects.requireNonNull(decision, "decision");
    }
}

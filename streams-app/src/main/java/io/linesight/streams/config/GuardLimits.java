package io.linesight.streams.config;

import java.time.Duration;

/**
 * When a model is taken out of service by itself. Rates are 0..1.
 *
 * @param window frames that the rates are taken over, the newest
 * @param minimum frames before anything is judged, at most {@code window}
 * @param errorRate how much more often inference may fail than with the model compared with
 * @param nanRate the same for NaN
 * @param latencyRatio p95 of the inference time per frame over that of the other model, in batches of like size; 0 for
 *     no limit
 * @param anomalyJump how much larger the share of anomalous frames may be
 * @param probation how long a new champion is compared with the one before; zero for not at all
 */
public record GuardLimits(
        int window,
        int minimum,
        double errorRate,
        double nanRate,
        double latencyRatio,
        double anomalyJump,
        Duration probation) {
    public GuardLimits {
        if (minimum < 1 || window < minimum)
            throw new IllegalArgumentException("window " + window + " and minimum " + minimum + " do not fit");
    }
}

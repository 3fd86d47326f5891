package io.linesight.streams.config;

import static io.linesight.streams.config.InspectionConfig.GUARD_ANOMALY_JUMP;
import static io.linesight.streams.config.InspectionConfig.GUARD_ERROR_RATE;
import static io.linesight.streams.config.InspectionConfig.GUARD_LATENCY_RATIO;
import static io.linesight.streams.config.InspectionConfig.GUARD_MINIMUM;
import static io.linesight.streams.config.InspectionConfig.GUARD_NAN_RATE;
import static io.linesight.streams.config.InspectionConfig.GUARD_WINDOW;
import static io.linesight.streams.config.InspectionConfig.PROBATION_MS;

import java.time.Duration;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Range;
import org.apache.kafka.common.config.ConfigDef.Type;

/**
 * When a guard takes a model out of service. Rates are 0..1.
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

    static void define(ConfigDef definition) {
        definition
                .define(
                        GUARD_WINDOW,
                        Type.INT,
                        500,
                        Range.between(1, 1_000_000),
                        Importance.LOW,
                        "Guards: rates are taken over this many of a model's newest frames.")
                .define(
                        GUARD_MINIMUM,
                        Type.INT,
                        100,
                        Range.between(1, 1_000_000),
                        Importance.LOW,
                        "Guards: frames of a new model before it is judged. At most linesight.guard.window.frames.");
        defineLimits(definition);
    }

    private static void defineLimits(ConfigDef definition) {
        definition
                .define(
                        GUARD_ERROR_RATE,
                        Type.DOUBLE,
                        0.02,
                        Range.between(0, 1),
                        Importance.LOW,
                        "Guards: a new model goes when inference fails on so much larger a share of its frames than "
                                + "with the model before. 1 for no limit.")
                .define(
                        GUARD_NAN_RATE,
                        Type.DOUBLE,
                        0.01,
                        Range.between(0, 1),
                        Importance.LOW,
                        "Guards: the same for NaN. 1 for no limit.")
                .define(
                        GUARD_LATENCY_RATIO,
                        Type.DOUBLE,
                        3.0,
                        Range.between(0, 1_000),
                        Importance.LOW,
                        "Guards: a new model goes when its p95 inference time per frame, in batches of like size, is "
                                + "more than this many times the other's. 0 for no limit.")
                .define(
                        GUARD_ANOMALY_JUMP,
                        Type.DOUBLE,
                        0.2,
                        Range.between(0, 1),
                        Importance.LOW,
                        "Guards: a new model goes when the share of frames it calls anomalous is so much larger than "
                                + "what the model before would call so. 1 for no limit.");
    }

    static void check(SettingsReader settings) {
        settings.requireNotAbove(GUARD_MINIMUM, GUARD_WINDOW, "nothing would ever be judged");
    }

    static GuardLimits read(SettingsReader settings) {
        return new GuardLimits(
                settings.integer(GUARD_WINDOW),
                settings.integer(GUARD_MINIMUM),
                settings.real(GUARD_ERROR_RATE),
                settings.real(GUARD_NAN_RATE),
                settings.real(GUARD_LATENCY_RATIO),
                settings.real(GUARD_ANOMALY_JUMP),
                settings.millis(PROBATION_MS));
    }
}

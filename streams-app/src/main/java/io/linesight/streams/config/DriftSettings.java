package io.linesight.streams.config;

import static io.linesight.streams.config.InspectionConfig.ALERTS;

import java.time.Duration;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Range;
import org.apache.kafka.common.config.ConfigDef.Type;

/**
 * When scores or images of a camera and product count as drifted.
 *
 * @param window span of the frames that are compared, by their capture time; zero for never
 * @param windowFrames frames that a window has at least
 * @param baseline span of the first frames, which the later ones are compared with
 * @param baselineFrames frames that these are at least
 * @param effect distance from the baseline, in widths of its middle 80 %, from which a window counts as drifted
 * @param normalsEffect the same from the checkpoint's normal scores; 0 for never
 * @param openWindows drifted windows in a row that open an alert
 * @param clearWindows windows in a row that are back and clear it
 * @param suppressesDefects whether defects of a camera and product are secondary while they drift
 */
public record DriftSettings(
        Duration window,
        int windowFrames,
        Duration baseline,
        int baselineFrames,
        double effect,
        double normalsEffect,
        int openWindows,
        int clearWindows,
        boolean suppressesDefects) {

    private static final String PREFIX = ALERTS + ".drift.";
    private static final String WINDOW_MS = PREFIX + "window.ms";
    private static final String WINDOW_FRAMES = PREFIX + "window.frames";
    private static final String BASELINE_MS = PREFIX + "baseline.ms";
    private static final String BASELINE_FRAMES = PREFIX + "baseline.frames";
    private static final String EFFECT = PREFIX + "effect";
    private static final String NORMALS_EFFECT = PREFIX + "normals.effect";
    private static final String OPEN_WINDOWS = PREFIX + "open.windows";
    private static final String CLEAR_WINDOWS = PREFIX + "clear.windows";
    private static final String SUPPRESS = PREFIX + "suppress";

    static void define(ConfigDef definition) {
        defineWindows(definition);
        defineLimits(definition);
    }

    private static void defineWindows(ConfigDef definition) {
        definition
                .define(
                        WINDOW_MS,
                        Type.INT,
                        (int) Duration.ofHours(1).toMillis(),
                        Range.atLeast(0),
                        Importance.MEDIUM,
                        "Scores, brightness, contrast and sharpness of a camera and product are compared with those "
                                + "of the first day in windows of so long, by the frames' capture time; 0 for never.")
                .define(
                        WINDOW_FRAMES,
                        Type.INT,
                        100,
                        Range.between(10, 1_000_000),
                        Importance.LOW,
                        "Frames that such a window has at least; with fewer it goes on.")
                .define(
                        BASELINE_MS,
                        Type.INT,
                        (int) Duration.ofDays(1).toMillis(),
                        Range.atLeast(1_000),
                        Importance.LOW,
                        "How long the first day is: what later windows are compared with. It begins with the first "
                                + "frame of a camera and product, for scores with the first one of each model.")
                .define(
                        BASELINE_FRAMES,
                        Type.INT,
                        500,
                        Range.between(10, 1_000_000_000),
                        Importance.LOW,
                        "Frames that the first day has at least; with fewer it goes on.");
    }

    private static void defineLimits(ConfigDef definition) {
        definition
                .define(
                        EFFECT,
                        Type.DOUBLE,
                        0.5,
                        Range.between(0.01, 1_000.0),
                        Importance.MEDIUM,
                        "How far a window must be from the first day to count as drifted: the mean distance of equal "
                                + "quantiles, in widths of the middle 80 % of the first day's values.")
                .define(
                        NORMALS_EFFECT,
                        Type.DOUBLE,
                        1.0,
                        Range.between(0.0, 1_000.0),
                        Importance.LOW,
                        "The same for scores against those of the checkpoint's own normal images, where it says how "
                                + "these are distributed; 0 for never.")
                .define(
                        OPEN_WINDOWS,
                        Type.INT,
                        3,
                        Range.between(1, 1_000),
                        Importance.LOW,
                        "So many drifted windows in a row open an alert.")
                .define(
                        CLEAR_WINDOWS,
                        Type.INT,
                        3,
                        Range.between(1, 1_000),
                        Importance.LOW,
                        "So many windows in a row that are back within 0.6 of the limit clear it.")
                .define(
                        SUPPRESS,
                        Type.BOOLEAN,
                        false,
                        Importance.LOW,
                        "Whether alerts about defects of a camera and product are suppressed while they drift.");
    }

    static void check(SettingsReader settings) {
        settings.requireNotAbove(WINDOW_FRAMES, BASELINE_FRAMES, "a first day has at least as many frames as a window");
    }

    static DriftSettings read(SettingsReader settings) {
        return new DriftSettings(
                settings.millis(WINDOW_MS),
                settings.integer(WINDOW_FRAMES),
                settings.millis(BASELINE_MS),
                settings.integer(BASELINE_FRAMES),
                settings.real(EFFECT),
                settings.real(NORMALS_EFFECT),
                settings.integer(OPEN_WINDOWS),
                settings.integer(CLEAR_WINDOWS),
                settings.bool(SUPPRESS));
    }
}

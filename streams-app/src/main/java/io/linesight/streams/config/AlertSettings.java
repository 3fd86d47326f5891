package io.linesight.streams.config;

import static io.linesight.streams.config.InspectionConfig.ALERTS;

import java.time.Duration;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Range;
import org.apache.kafka.common.config.ConfigDef.Type;
import org.apache.kafka.common.config.ConfigDef.ValidString;

/**
 * When alerts open and clear, where people have set nothing else, and how much is remembered.
 *
 * @param on whether this process makes alerts
 * @param openCount K: so many anomalous frames of the last {@code openWindow} of a product open an alert
 * @param openWindow N, at least K
 * @param clearCount M: so many good frames in a row clear it
 * @param clearBelow calibrated score below which a frame is good while an alert is open, 0..0.5
 * @param renotify how often an alert that nobody has acknowledged is said again; zero for never
 * @param highScore calibrated score from which the severity is HIGH
 * @param highArea pixels of a region from which it is HIGH; 0 for never
 * @param latched whether an alert stays active until it is acknowledged
 * @param silent time without a frame after which a camera is silent; zero for never
 * @param frozenFrames equal images in a row that make a camera frozen; 0 for never
 * @param imageFrames images in a row that must be black, overexposed or blurred, and as many that must not be again
 * @param blackShare share of dark pixels that makes an image black
 * @param overexposedShare share of bright pixels that makes it overexposed
 * @param blurRatio share of the usual sharpness below which it is blurred; 0 for never
 * @param forget time without a frame after which a camera or a product is forgotten, and without an acknowledgement
 *     after which a cleared alert is closed
 * @param maxShelve longest time for which an alert may be shelved or a camera be in maintenance
 * @param maxCameras cameras of a partition that are remembered
 * @param maxProducts products of a camera that are told apart
 * @param modelBehind time after a decision from which an instance that does not serve it is behind; zero for never
 * @param drift when scores and images count as drifted
 */
public record AlertSettings(
        boolean on,
        int openCount,
        int openWindow,
        int clearCount,
        double clearBelow,
        Duration renotify,
        double highScore,
        long highArea,
        boolean latched,
        Duration silent,
        int frozenFrames,
        int imageFrames,
        double blackShare,
        double overexposedShare,
        double blurRatio,
        Duration forget,
        Duration maxShelve,
        int maxCameras,
        int maxProducts,
        Duration modelBehind,
        DriftSettings drift) {

    private static final String PREFIX = ALERTS + ".";
    private static final String OPEN_COUNT = PREFIX + "open.count";
    private static final String OPEN_WINDOW = PREFIX + "open.window";
    private static final String CLEAR_COUNT = PREFIX + "clear.count";
    private static final String CLEAR_BELOW = PREFIX + "clear.below";
    private static final String RENOTIFY_MS = PREFIX + "renotify.ms";
    private static final String HIGH_SCORE = PREFIX + "high.score";
    private static final String HIGH_AREA = PREFIX + "high.area";
    private static final String LATCHED = PREFIX + "latched";
    private static final String SILENT_MS = PREFIX + "silent.ms";
    private static final String FROZEN_FRAMES = PREFIX + "frozen.frames";
    private static final String IMAGE_FRAMES = PREFIX + "image.frames";
    private static final String BLACK_SHARE = PREFIX + "black.share";
    private static final String OVEREXPOSED_SHARE = PREFIX + "overexposed.share";
    private static final String BLUR_RATIO = PREFIX + "blur.ratio";
    private static final String FORGET_MS = PREFIX + "forget.ms";
    private static final String MAX_SHELVE_MS = PREFIX + "shelve.max.ms";
    private static final String MAX_CAMERAS = PREFIX + "cameras.max";
    private static final String MAX_PRODUCTS = PREFIX + "products.max";
    private static final String MODEL_BEHIND_MS = PREFIX + "model.behind.ms";
    /** Longest window of frames; all that are anomalous in it are remembered. */
    public static final int MAX_WINDOW = 200;

    static void define(ConfigDef definition) {
        definition.define(
                ALERTS,
                Type.STRING,
                "on",
                ValidString.in("on", "off"),
                Importance.MEDIUM,
                "Whether this process makes alerts out of results, in a consumer group of its own "
                        + "(<application.id>-alerts). Frames are inspected alike either way.");
        defineDefects(definition);
        defineCameras(definition);
        DriftSettings.define(definition);
        defineModels(definition);
        defineLimits(definition);
    }

    private static void defineModels(ConfigDef definition) {
        definition.define(
                MODEL_BEHIND_MS,
                Type.INT,
                (int) Duration.ofMinutes(5).toMillis(),
                Range.atLeast(0),
                Importance.LOW,
                "An instance that began to load the champion decided, or rejected it, and does not serve it for so "
                        + "long is behind; 0 for never. Needs a channel that is followed.");
    }

    private static void defineDefects(ConfigDef definition) {
        definition
                .define(
                        OPEN_COUNT,
                        Type.INT,
                        3,
                        Range.between(1, MAX_WINDOW),
                        Importance.MEDIUM,
                        "So many anomalous frames of the last linesight.alerts.open.window of a camera and product "
                                + "open an alert; 1 of 1 opens it with a single frame.")
                .define(
                        OPEN_WINDOW,
                        Type.INT,
                        5,
                        Range.between(1, MAX_WINDOW),
                        Importance.MEDIUM,
                        "Frames of a camera and product among which anomalous ones are counted.")
                .define(
                        CLEAR_COUNT,
                        Type.INT,
                        10,
                        Range.between(1, 1_000_000),
                        Importance.MEDIUM,
                        "So many good frames in a row clear an alert.")
                .define(
                        CLEAR_BELOW,
                        Type.DOUBLE,
                        0.4,
                        Range.between(0.0, 0.5),
                        Importance.LOW,
                        "Calibrated score below which a frame is good while an alert is open. Frames between this and "
                                + "0.5 neither raise nor clear it.")
                .define(
                        RENOTIFY_MS,
                        Type.INT,
                        900_000,
                        Range.atLeast(0),
                        Importance.LOW,
                        "An active alert that nobody has acknowledged is said again so often; 0 for never.")
                .define(
                        HIGH_SCORE,
                        Type.DOUBLE,
                        0.9,
                        Range.between(0.5, 1.0),
                        Importance.LOW,
                        "Calibrated score of a frame from which its alert has the severity HIGH; below it is MEDIUM.")
                .define(
                        HIGH_AREA,
                        Type.LONG,
                        0L,
                        Range.atLeast(0),
                        Importance.LOW,
                        "Size of a region, in pixels of the camera's frame, from which the severity is HIGH; 0 for "
                                + "never.")
                .define(
                        LATCHED,
                        Type.BOOLEAN,
                        false,
                        Importance.LOW,
                        "Whether an alert stays active until it is acknowledged, even when frames are good again.");
    }

    private static void defineCameras(ConfigDef definition) {
        definition
                .define(
                        SILENT_MS,
                        Type.INT,
                        60_000,
                        Range.atLeast(0),
                        Importance.MEDIUM,
                        "A camera without a frame for so long, and for 20 times its usual interval, is silent; 0 for "
                                + "never. Put a camera into maintenance when it is switched off on purpose.")
                .define(
                        FROZEN_FRAMES,
                        Type.INT,
                        30,
                        Range.atLeast(0),
                        Importance.LOW,
                        "So many images in a row with the same pixels make a camera frozen; 0 for never.")
                .define(
                        IMAGE_FRAMES,
                        Type.INT,
                        3,
                        Range.between(1, 1_000_000),
                        Importance.LOW,
                        "Images in a row that must be black, overexposed or blurred until an alert opens, and must be "
                                + "normal until it clears.")
                .define(
                        BLACK_SHARE,
                        Type.DOUBLE,
                        0.98,
                        Range.between(0.0, 1.1),
                        Importance.LOW,
                        "Share of pixels darker than 5 of 255 from which an image counts as black; above 1 for never.")
                .define(
                        OVEREXPOSED_SHARE,
                        Type.DOUBLE,
                        0.95,
                        Range.between(0.0, 1.1),
                        Importance.LOW,
                        "Share of pixels brighter than 250 of 255 from which an image counts as overexposed; above 1 "
                                + "for never.")
                .define(
                        BLUR_RATIO,
                        Type.DOUBLE,
                        0.4,
                        Range.between(0.0, 1.0),
                        Importance.LOW,
                        "Share of the product's usual sharpness at the camera below which an image counts as blurred; "
                                + "0 for never.");
    }

    private static void defineLimits(ConfigDef definition) {
        definition
                .define(
                        FORGET_MS,
                        Type.INT,
                        (int) Duration.ofDays(7).toMillis(),
                        Range.atLeast(1_000),
                        Importance.LOW,
                        "A camera or product without a frame for so long is forgotten, its alerts are closed; a "
                                + "cleared alert that nobody acknowledges is closed after the same time.")
                .define(
                        MAX_SHELVE_MS,
                        Type.INT,
                        (int) Duration.ofDays(1).toMillis(),
                        Range.atLeast(1_000),
                        Importance.LOW,
                        "Longest time for which an alert can be shelved, or a camera be in maintenance.")
                .define(
                        MAX_CAMERAS,
                        Type.INT,
                        20_000,
                        Range.between(1, 1_000_000),
                        Importance.LOW,
                        "Cameras of a partition that alerts are kept for; beyond that the one that was seen least "
                                + "recently is forgotten.")
                .define(
                        MAX_PRODUCTS,
                        Type.INT,
                        32,
                        Range.between(1, 1_000),
                        Importance.LOW,
                        "Products of a camera that have alerts of their own; the others share one.");
    }

    static void check(SettingsReader settings) {
        settings.requireNotAbove(OPEN_COUNT, OPEN_WINDOW, "no window could have so many anomalous frames");
        DriftSettings.check(settings);
    }

    static AlertSettings read(SettingsReader settings) {
        return new AlertSettings(
                settings.text(ALERTS).equals("on"),
                settings.integer(OPEN_COUNT),
                settings.integer(OPEN_WINDOW),
                settings.integer(CLEAR_COUNT),
                settings.real(CLEAR_BELOW),
                settings.millis(RENOTIFY_MS),
                settings.real(HIGH_SCORE),
                settings.longInteger(HIGH_AREA),
                settings.bool(LATCHED),
                settings.millis(SILENT_MS),
                settings.integer(FROZEN_FRAMES),
                settings.integer(IMAGE_FRAMES),
                settings.real(BLACK_SHARE),
                settings.real(OVEREXPOSED_SHARE),
                settings.real(BLUR_RATIO),
                settings.millis(FORGET_MS),
                settings.millis(MAX_SHELVE_MS),
                settings.integer(MAX_CAMERAS),
                settings.integer(MAX_PRODUCTS),
                settings.millis(MODEL_BEHIND_MS),
                DriftSettings.read(settings));
    }
}

package io.linesight.streams.alert;

import io.linesight.streams.config.AlertSettings;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * When the frames of a camera and product open and clear alerts.
 *
 * @param revision of the settings that say so; null for those of the configuration
 * @param openCount K: so many anomalous frames of the last {@code openWindow} open an alert, at least 1
 * @param openWindow N, at least K
 * @param clearCount M: so many good frames in a row clear it, at least 1
 * @param clearBelow calibrated score below which a frame is good, 0..0.5
 * @param renotify how often an alert that nobody has acknowledged is said again; zero for never
 * @param highScore calibrated score from which the severity is HIGH, 0.5..1
 * @param highArea pixels of a region from which it is HIGH; 0 for never
 * @param latched whether an alert stays active until it is acknowledged
 * @param silent time without a frame after which a camera is silent; zero for never
 * @param frozenFrames equal images in a row that make a camera frozen; 0 for never
 * @param imageFrames images in a row that must be bad, and as many that must not be again
 * @param blackShare share of dark pixels that makes an image black; above 1 for never
 * @param overexposedShare share of bright pixels that makes it overexposed; above 1 for never
 * @param blurRatio share of the usual sharpness below which it is blurred; 0 for never
 */
public record AlertPolicy(
        @Nullable Long revision,
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
        double blurRatio) {

    public AlertPolicy {
        if (openCount < 1 || openWindow < openCount || openWindow > AlertSettings.MAX_WINDOW)
            throw new IllegalArgumentException(openCount + " of " + openWindow + " frames: the first must be at least "
                    + "1, the second at least the first and at most " + AlertSettings.MAX_WINDOW);
        if (clearCount < 1) throw new IllegalArgumentException(clearCount + " good frames clear nothing; at least 1");
        if (!(clearBelow >= 0 && clearBelow <= 0.5))
            throw new IllegalArgumentException("a frame is good below a score of 0 to 0.5, not " + clearBelow);
        if (renotify.isNegative() || silent.isNegative())
            throw new IllegalArgumentException("a time is negative: " + renotify + ", " + silent);
    }

    /** As the configuration has it. */
    public static AlertPolicy of(AlertSettings s) {
        return new AlertPolicy(
                null,
                s.openCount(),
                s.openWindow(),
                s.clearCount(),
                s.clearBelow(),
                s.renotify(),
                s.highScore(),
                s.highArea(),
                s.latched(),
                s.silent(),
                s.frozenFrames(),
                s.imageFrames(),
                s.blackShare(),
                s.overexposedShare(),
                s.blurRatio());
    }
}

package io.linesight.streams.drift;

import java.util.Locale;

/** What is measured of a frame. The order is that of the values in stored states. */
public enum Measure {
    /** Raw score of the model; each model has its own. */
    SCORE,
    /** Mean luminance. */
    BRIGHTNESS,
    /** Standard deviation of the luminance. */
    CONTRAST,
    /** Mean difference of neighbouring pixels. */
    SHARPNESS;

    static final int COUNT = values().length;

    /** As it is called in alerts. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}

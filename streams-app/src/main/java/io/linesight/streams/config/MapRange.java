package io.linesight.streams.config;

import java.util.Locale;

/**
 * How the values of an anomaly map become the 256 greys of {@code AnomalyEvent.mapPng}.
 *
 * @param auto 0 is the map's smallest and 255 its largest value, per frame; {@code low} and {@code high} are then
 *     unused
 * @param low raw value of grey 0; smaller values are clamped
 * @param high raw value of grey 255, above {@code low}; larger values are clamped
 */
public record MapRange(boolean auto, float low, float high) {

    /** Every map uses all greys. */
    public static final MapRange AUTO = new MapRange(true, 0, 1);

    public MapRange {
        if (!Float.isFinite(low) || !Float.isFinite(high) || !(low < high)) {
            throw new IllegalArgumentException(
                    "the range must be two numbers, low before high, got " + low + "," + high);
        }
    }

    /**
     * Reads {@code auto} or {@code low,high}.
     *
     * @throws IllegalArgumentException saying what is wrong
     */
    public static MapRange parse(String text) {
        String trimmed = text.trim();
        if (trimmed.toLowerCase(Locale.ROOT).equals("auto")) return AUTO;
        String[] parts = trimmed.split(",", -1);
        if (parts.length != 2)
            throw new IllegalArgumentException("expected auto or low,high such as 0,1, got '" + text + "'");
        try {
            return new MapRange(false, Float.parseFloat(parts[0].trim()), Float.parseFloat(parts[1].trim()));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("expected auto or low,high such as 0,1, got '" + text + "'");
        }
    }
}

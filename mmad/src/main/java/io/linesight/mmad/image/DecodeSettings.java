package io.linesight.mmad.image;

import java.util.Map;

/**
 * How images are decoded; the same for every command, so that an image has the same pixels in all of them.
 *
 * @param limits what an image may be at most
 * @param sampleBits bits that 16-bit samples use, 8..16, from the lowest; 12 for a camera that writes 0..4095
 */
public record DecodeSettings(ImageLimits limits, int sampleBits) {
    /** Setting: longest side in pixels. */
    public static final String MAX_SIDE = "linesight.image.max.side";
    /** Setting: most pixels. */
    public static final String MAX_PIXELS = "linesight.image.max.pixels";
    /** Setting: bits that 16-bit samples use. */
    public static final String SAMPLE_BITS = "linesight.image.sample.bits";

    /** Bytes of a pixel in the largest files: three samples, and something for what is beside them. */
    private static final int BYTES_PER_PIXEL = 4;

    /** Bits of a sample that is used whole. */
    public static final int ALL_BITS = 16;

    public DecodeSettings {
        if (sampleBits < 8 || sampleBits > ALL_BITS)
            throw new IllegalArgumentException("the bits of a sample must be 8..16, got " + sampleBits);
    }

    /** {@link ImageLimits#defaults}, whole samples. */
    public static DecodeSettings defaults() {
        return of(ImageLimits.defaults());
    }

    public static DecodeSettings of(ImageLimits limits) {
        return new DecodeSettings(limits, ALL_BITS);
    }

    public DecodeSettings withSampleBits(int bits) {
        return new DecodeSettings(limits, bits);
    }

    /**
     * Settings by their names, for whoever reads no whole configuration. Whoever raises the pixels gets the bytes that
     * so large an image may have.
     *
     * @param settings those that are not there keep the value of {@code otherwise}
     * @throws IllegalArgumentException for a value that is no number or out of range; names the setting
     */
    public static DecodeSettings of(Map<String, ?> settings, DecodeSettings otherwise) {
        ImageLimits limits = otherwise.limits;
        long pixels = number(settings, MAX_PIXELS, limits.maxPixels());
        int side = (int) number(settings, MAX_SIDE, limits.maxSide());
        int bits = (int) number(settings, SAMPLE_BITS, otherwise.sampleBits);
        try {
            return new DecodeSettings(new ImageLimits(side, pixels, bytes(limits, pixels)), bits);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    MAX_SIDE + ", " + MAX_PIXELS + ", " + SAMPLE_BITS + ": " + e.getMessage(), e);
        }
    }

    private static long bytes(ImageLimits before, long pixels) {
        if (pixels <= before.maxPixels()) return before.maxBytes();
        return Math.max(before.maxBytes(), Math.min(Integer.MAX_VALUE - 16, pixels * BYTES_PER_PIXEL));
    }

    private static long number(Map<String, ?> settings, String key, long otherwise) {
        Object value = settings.get(key);
        if (value == null) return otherwise;
        try {
            long n = Long.parseLong(value.toString().strip());
            if (n > 0 && n <= Integer.MAX_VALUE) return n;
        } catch (NumberFormatException e) {
            // Said below.
        }
        throw new IllegalArgumentException(key + " must be a whole number above 0, got '" + value + "'");
    }
}

package io.linesight.mmad.image;

/**
 * How images are decoded; the same for every command, so that an image has the same pixels in all of them.
 *
 * @param limits what an image may be at most
 * @param sampleBits bits that 16-bit samples use, 8..16, from the lowest; 12 for a camera that writes 0..4095
 */
public record DecodeSettings(ImageLimits limits, int sampleBits) {
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
}

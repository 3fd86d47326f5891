package io.linesight.trainer.features;

import java.nio.ByteBuffer;

/** How numbers of features are kept on the disk. Training computes with float32 whatever this is. */
public enum FeatureType {
    /** As the encoder gives them. */
    FLOAT32(Float.BYTES, ".f32"),
    /**
     * Rounded to 11 bits of precision, in half the room: relative error at most 2^-11, absolute 2^-25 near zero; at
     * most 65,504.
     */
    FLOAT16(Short.BYTES, ".f16");

    private static final float MAX = 65_504;
    private static final float TOO_MUCH = 65_520;

    private final int bytes;
    private final String extension;

    FeatureType(int bytes, String extension) {
        this.bytes = bytes;
        this.extension = extension;
    }

    int bytes() {
        return bytes;
    }

    String extension() {
        return extension;
    }

    void put(ByteBuffer to, int at, float v) {
        if (this == FLOAT32) to.putFloat(at, v);
        else to.putShort(at, half(v));
    }

    float get(ByteBuffer from, int at) {
        return this == FLOAT32 ? from.getFloat(at) : value(from.getShort(at));
    }

    /**
     * To the nearest, of two as near the even one, as IEEE 754 says.
     *
     * @throws ArithmeticException when it is larger than any half
     */
    static short half(float v) {
        float size = Math.abs(v);
        if (size >= TOO_MUCH)
            throw new ArithmeticException("a feature of " + v + " is more than the " + MAX + " that float16 holds");
        int sign = Float.floatToRawIntBits(v) >>> 16 & 0x8000;
        if (Float.isNaN(v)) return (short) (sign | 0x7e00);
        // Adding this much leaves of the sum's fraction the bits that a half has, rounded by the processor.
        if (size < 0x1p-14f)
            return (short) (sign | Float.floatToRawIntBits(size + 0.5f) - Float.floatToRawIntBits(0.5f));
        int bits = Float.floatToRawIntBits(size);
        int rounded = bits + 0xfff + (bits >>> 13 & 1);
        return (short) (sign | (rounded >>> 13) - (112 << 10));
    }

    static float value(short half) {
        int exponent = half >> 10 & 0x1f;
        int fraction = half & 0x3ff;
        float size = exponent == 0
                ? fraction * 0x1p-24f
                : Float.intBitsToFloat(
                        exponent == 0x1f ? 0x7f800000 | fraction << 13 : exponent + 112 << 23 | fraction << 13);
        return half < 0 ? -size : size;
    }
}

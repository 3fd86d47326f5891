package io.linesight.trainer.features;

import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.io.Sha256;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/**
 * How one image's features lie in a file: [64*64,C0], [32*32,C1], [16*16,C2], channels last, in the machine's order.
 */
final class FeatureShape {
    static final int SCALES = 3;

    private final List<Integer> channels;
    private final FeatureType type;
    private final long[] offset = new long[SCALES + 1];

    FeatureShape(Encoder encoder, FeatureType type) {
        this.type = type;
        channels = encoder.channels();
        for (int i = 0; i < SCALES; i++) offset[i + 1] = offset[i] + (long) pixels(i) * channels.get(i);
    }

    static int pixels(int scale) {
        return (64 >> scale) * (64 >> scale);
    }

    int channels(int scale) {
        return channels.get(scale);
    }

    /** Bytes before a scale within a record. */
    int from(int scale) {
        return Math.toIntExact(offset[scale] * type.bytes());
    }

    /** Bytes of one scale. */
    int bytes(int scale) {
        return from(scale + 1) - from(scale);
    }

    /** Bytes of one image. */
    int recordBytes() {
        return Math.toIntExact(offset[SCALES] * type.bytes());
    }

    FeatureType type() {
        return type;
    }

    ByteBuffer record() {
        return ByteBuffer.allocateDirect(recordBytes()).order(ByteOrder.nativeOrder());
    }

    /**
     * One image of what the encoder gave for a batch, as a record.
     *
     * @throws IOException when a value is larger than the type holds
     */
    void fill(ByteBuffer record, float[][] maps, int image) throws IOException {
        try {
            put(record, maps, image);
        } catch (ArithmeticException e) {
            throw new IOException(
                    "features cannot be kept as float16: " + e.getMessage()
                            + ". Nothing was trained; keep them as float32",
                    e);
        }
    }

    private void put(ByteBuffer record, float[][] maps, int image) {
        for (int i = 0; i < SCALES; i++) {
            int c = channels.get(i);
            int pixels = pixels(i);
            int from = image * c * pixels;
            int to = (int) offset[i];
            for (int k = 0; k < c; k++) {
                for (int q = 0; q < pixels; q++)
                    type.put(record, (to + q * c + k) * type.bytes(), maps[i][from + k * pixels + q]);
            }
        }
        record.position(0).limit(record.capacity());
    }

    /** What a frame's features are found by: the pixels that the encoder sees, after decoding and resizing. */
    static byte[] key(byte[] frame) {
        return Sha256.digest().digest(frame);
    }
}

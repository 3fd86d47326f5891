package io.linesight.trainer.features;

import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.io.Sha256;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/** How one image's features lie in a file: [64*64,C0], [32*32,C1], [16*16,C2], channels last, float32 in the machine's order. */
final class FeatureShape {
    static final int SCALES = 3;

    private final List<Integer> channels;
    private final long[] offset = new long[SCALES + 1];

    FeatureShape(Encoder encoder) {
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
        return Math.toIntExact(offset[scale] * Float.BYTES);
    }

    /** Bytes of one scale. */
    int bytes(int scale) {
        return from(scale + 1) - from(scale);
    }

    /** Bytes of one image. */
    int recordBytes() {
        return Math.toIntExact(offset[SCALES] * Float.BYTES);
    }

    ByteBuffer record() {
        return ByteBuffer.allocateDirect(recordBytes()).order(ByteOrder.nativeOrder());
    }

    /** One image of what the encoder gave for a batch, as a record. */
    void fill(ByteBuffer record, float[][] maps, int image) {
        for (int i = 0; i < SCALES; i++) {
            int c = channels.get(i);
            int pixels = pixels(i);
            int from = image * c * pixels;
            int to = (int) offset[i];
            for (int k = 0; k < c; k++) {
                for (int q = 0; q < pixels; q++) record.putFloat((to + q * c + k) * Float.BYTES, maps[i][from + k * pixels + q]);
            }
        }
        record.position(0).limit(record.capacity());
    }

    /** What a frame's features are found by: the pixels that the encoder sees, after decoding and resizing. */
    static byte[] key(byte[] frame) {
        return Sha256.digest().digest(frame);
    }
}

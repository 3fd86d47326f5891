package io.linesight.trainer.retrieval;

import io.linesight.mmad.image.Heatmaps;
import io.linesight.mmad.image.ImageCodec;
import io.linesight.mmad.image.Preprocess;
import io.linesight.mmad.image.RgbImage;
import org.jspecify.annotations.Nullable;

/** Small JPEGs of the images remembered, within a bound for all of them together. Not thread-safe. */
final class Thumbnails {
    /** Bytes of all thumbnails of a checkpoint. */
    static final long MAX_BYTES = 8_000_000;
    /** What one takes at 96 pixels, about. */
    private static final int TYPICAL_BYTES = 4000;

    private static final int SIDE = 96;
    private static final int SMALL_SIDE = 48;
    private static final int QUALITY = 75;

    private final int side;
    private long left = MAX_BYTES;
    private int made;

    Thumbnails(int images) {
        side = (long) images * TYPICAL_BYTES <= MAX_BYTES ? SIDE : SMALL_SIDE;
    }

    /** Of a planar 256x256 frame; null when there is no room left. */
    byte @Nullable [] of(byte[] frame) {
        int pixels = Preprocess.SIDE * Preprocess.SIDE;
        byte[] rgb = new byte[frame.length];
        for (int p = 0; p < pixels; p++) for (int c = 0; c < 3; c++) rgb[3 * p + c] = frame[c * pixels + p];
        byte[] jpeg = ImageCodec.encodeJpeg(
                Heatmaps.thumbnail(new RgbImage(Preprocess.SIDE, Preprocess.SIDE, rgb), side), QUALITY);
        if (jpeg.length > left) return null;
        left -= jpeg.length;
        made++;
        return jpeg;
    }

    int made() {
        return made;
    }
}

package io.linesight.trainer.distill;

import io.linesight.mmad.image.RgbImage;

/**
 * What tells images apart: the hash of the pixels, and 256 bits of where brightness rises from left to right in a 17x16
 * thumbnail, which survive scaling and compression.
 */
record ImageHash(String pixels, long d0, long d1, long d2, long d3) {
    /** Two images of at most this distance show the same. */
    static final int ALIKE = 16;

    private static final int ROWS = 16;

    static ImageHash of(RgbImage image) {
        long[] bits = new long[4];
        double[] thumbnail = thumbnail(image);
        for (int y = 0; y < ROWS; y++) {
            for (int x = 0; x < ROWS; x++) {
                int i = y * ROWS + x;
                if (thumbnail[y * (ROWS + 1) + x + 1] > thumbnail[y * (ROWS + 1) + x] + 0.5)
                    bits[i >> 6] |= 1L << (i & 63);
            }
        }
        return new ImageHash(image.sha256(), bits[0], bits[1], bits[2], bits[3]);
    }

    /** Bits in which the thumbnails differ, 0..256. */
    int distance(ImageHash o) {
        return Long.bitCount(d0 ^ o.d0)
                + Long.bitCount(d1 ^ o.d1)
                + Long.bitCount(d2 ^ o.d2)
                + Long.bitCount(d3 ^ o.d3);
    }

    /** Whether two images are the same to the pixel or look it. Thumbnails with next to no structure say nothing. */
    boolean same(ImageHash o) {
        return pixels.equals(o.pixels) || structured() && o.structured() && distance(o) <= ALIKE;
    }

    private boolean structured() {
        int ones = Long.bitCount(d0) + Long.bitCount(d1) + Long.bitCount(d2) + Long.bitCount(d3);
        return ones >= 40 && ones <= 216;
    }

    /** Mean brightness 0..255 of 17x16 cells. */
    private static double[] thumbnail(RgbImage image) {
        int columns = ROWS + 1;
        double[] sum = new double[ROWS * columns];
        int[] count = new int[ROWS * columns];
        for (int y = 0; y < image.height(); y++) {
            int row = (int) ((long) y * ROWS / image.height()) * columns;
            for (int x = 0; x < image.width(); x++) {
                int cell = row + (int) ((long) x * columns / image.width());
                int at = 3 * (y * image.width() + x);
                sum[cell] += 0.299 * (image.rgb()[at] & 255)
                        + 0.587 * (image.rgb()[at + 1] & 255)
                        + 0.114 * (image.rgb()[at + 2] & 255);
                count[cell]++;
            }
        }
        for (int i = 0; i < sum.length; i++) sum[i] /= Math.max(1, count[i]);
        return sum;
    }
}

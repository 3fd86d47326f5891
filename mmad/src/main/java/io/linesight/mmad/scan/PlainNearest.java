package io.linesight.mmad.scan;

/** {@link NearestPatches} in plain Java, in double: the reference, and what runs where there are no vectors. */
final class PlainNearest {
    private PlainNearest() {}

    static void run(PatchComparison data) {
        int[] row = new int[data.rowInts()];
        for (int b = 0; b < data.batch(); b++) {
            double[] length = lengths(data, b);
            double[] best = new double[data.places()];
            java.util.Arrays.fill(best, Double.NEGATIVE_INFINITY);
            for (int image : data.picks()[b]) {
                for (int r = 0; r < data.height(); r++) {
                    data.memory().get((image * data.height() + r) * data.rowInts(), row);
                    for (int y = Math.max(0, r - 1); y <= Math.min(data.height() - 1, r + 1); y++)
                        compareRow(data, b, image, r, row, y, best);
                }
            }
            for (int p = 0; p < best.length; p++)
                data.y()[b].put(p, (float) Math.max(0, 1 - best[p] / Math.max(length[p], NearestPatches.MIN_LENGTH)));
        }
    }

    private static void compareRow(PatchComparison data, int b, int image, int r, int[] row, int y, double[] best) {
        int width = data.width();
        for (int x = 0; x < width; x++) {
            int p = y * width + x;
            for (int at = Math.max(0, x - 1); at <= Math.min(width - 1, x + 1); at++) {
                double dot = 0;
                for (int c = 0; c < data.channels(); c++) {
                    byte value = (byte) (row[c / 4 * width + at] >> 8 * (c % 4));
                    dot += (double) data.x()[b].get(c * data.places() + p) * value;
                }
                dot *= data.scale().get((image * data.height() + r) * width + at);
                // Not a comparison, which would lose NaN.
                best[p] = Math.max(best[p], dot);
            }
        }
    }

    private static double[] lengths(PatchComparison data, int b) {
        double[] length = new double[data.places()];
        for (int c = 0; c < data.channels(); c++) {
            for (int p = 0; p < length.length; p++) {
                double v = data.x()[b].get(c * data.places() + p);
                length[p] += v * v;
            }
        }
        for (int p = 0; p < length.length; p++) length[p] = Math.sqrt(length[p]);
        return length;
    }
}

package io.linesight.mmad.exemption;

/**
 * A frame's features at one stride, in cells: the mean of the 3x3 neighbourhood of the encoder's features (at the
 * border, of the neighbours that exist), brought to length one. Immutable, thread-safe.
 */
final class FeatureGrid {
    private final int side;
    private final int channels;
    private final float[] cells;

    private FeatureGrid(int side, int channels, float[] cells) {
        this.side = side;
        this.channels = channels;
        this.cells = cells;
    }

    /**
     * @param features a frame's feature map {@code [channels, side, side]}, row-major, from {@code at} on; not kept
     * @param stride of the map: 8 or 16 of the 256x256 input
     */
    static FeatureGrid of(float[] features, int at, int channels, int stride) {
        int side = 256 / stride;
        float[] cells = new float[side * side * channels];
        float[] rows = new float[side * side];
        for (int c = 0; c < channels; c++) {
            sumsOfThree(features, at + c * side * side, side, rows);
            for (int y = 0; y < side; y++) {
                int from = Math.max(0, y - 1);
                int to = Math.min(side - 1, y + 1);
                for (int x = 0; x < side; x++) {
                    float sum = 0;
                    for (int k = from; k <= to; k++) sum += rows[k * side + x];
                    // The number of neighbours is the same for all channels: the length takes it out again.
                    cells[(y * side + x) * channels + c] = sum;
                }
            }
        }
        for (int i = 0; i < side * side; i++) normalise(cells, i * channels, channels);
        return new FeatureGrid(side, channels, cells);
    }

    /** Along the rows. */
    private static void sumsOfThree(float[] features, int at, int side, float[] out) {
        for (int y = 0; y < side; y++) {
            for (int x = 0; x < side; x++) {
                float sum = features[at + y * side + x];
                if (x > 0) sum += features[at + y * side + x - 1];
                if (x < side - 1) sum += features[at + y * side + x + 1];
                out[y * side + x] = sum;
            }
        }
    }

    private static void normalise(float[] cells, int at, int n) {
        double squares = 0;
        for (int i = at; i < at + n; i++) squares += (double) cells[i] * cells[i];
        if (!(squares > 0)) return;
        float scale = (float) (1 / Math.sqrt(squares));
        for (int i = at; i < at + n; i++) cells[i] *= scale;
    }

    int side() {
        return side;
    }

    int channels() {
        return channels;
    }

    /** A cell's feature in 8 bits, its largest component at 127 or -127; all zero where the features are. */
    byte[] quantised(int x, int y) {
        int at = (y * side + x) * channels;
        float largest = 0;
        for (int i = at; i < at + channels; i++) largest = Math.max(largest, Math.abs(cells[i]));
        byte[] out = new byte[channels];
        if (largest > 0) for (int i = 0; i < channels; i++) out[i] = (byte) Math.round(127 * cells[at + i] / largest);
        return out;
    }

    /** Cosine distance of a cell to a feature of length one: 0 (the same direction) to 2. */
    float distance(int x, int y, float[] feature) {
        int at = (y * side + x) * channels;
        float dot = 0;
        for (int i = 0; i < channels; i++) dot += cells[at + i] * feature[i];
        return 1 - dot;
    }

    /** The smallest distance of a feature to the cell at a place and the eight around it. */
    float nearest(int x, int y, float[] feature) {
        float nearest = Float.POSITIVE_INFINITY;
        for (int ny = Math.max(0, y - 1); ny <= Math.min(side - 1, y + 1); ny++)
            for (int nx = Math.max(0, x - 1); nx <= Math.min(side - 1, x + 1); nx++)
                nearest = Math.min(nearest, distance(nx, ny, feature));
        return nearest;
    }

    /** A cell's feature, of length one. */
    float[] feature(int x, int y) {
        int at = (y * side + x) * channels;
        return java.util.Arrays.copyOfRange(cells, at, at + channels);
    }
}

package io.linesight.mmad.view;

/** Anomaly maps at another resolution. Stateless. */
public final class Maps {
    private Maps() {}

    /**
     * A map at another resolution, bilinear.
     *
     * @param map row-major, size*size
     * @return side*side; the map itself where it has that size
     */
    public static float[] resized(float[] map, int size, int side) {
        if (side == size) return map;
        float[] out = new float[side * side];
        double step = (double) size / side;
        for (int y = 0; y < side; y++) {
            double fy = Math.min(size - 1.0, Math.max(0, (y + 0.5) * step - 0.5));
            int y0 = Math.min(size - 2, (int) fy);
            float v = (float) (fy - y0);
            for (int x = 0; x < side; x++) {
                double fx = Math.min(size - 1.0, Math.max(0, (x + 0.5) * step - 0.5));
                int x0 = Math.min(size - 2, (int) fx);
                float u = (float) (fx - x0);
                int at = y0 * size + x0;
                float above = map[at] + u * (map[at + 1] - map[at]);
                float below = map[at + size] + u * (map[at + size + 1] - map[at + size]);
                out[y * side + x] = above + v * (below - above);
            }
        }
        return out;
    }
}

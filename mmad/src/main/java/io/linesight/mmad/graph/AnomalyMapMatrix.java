package io.linesight.mmad.graph;

import io.linesight.mmad.architecture.MmadConfig;
import java.util.Arrays;

/** Upsampling and smoothing of one axis of the anomaly map as a matrix (MMAD_SPEC section 11). */
final class AnomalyMapMatrix {
    private static final int RADIUS = 16;
    private static final double SIGMA = 4;

    private AnomalyMapMatrix() {}

    /**
     * Gaussian (sigma 4, radius 16, half-sample symmetric border) after bilinear upsampling with aligned corners,
     * divided by 3: applied to rows and to columns it divides the sum of the three scales by 9.
     *
     * @return 256 x side, row-major
     */
    static float[] of(int side) {
        int size = MmadConfig.INPUT_SIZE;
        double[] kernel = new double[2 * RADIUS + 1];
        double total = 0;
        for (int i = 0; i < kernel.length; i++) {
            double x = i - RADIUS;
            kernel[i] = Math.exp(-x * x / (2 * SIGMA * SIGMA));
            total += kernel[i];
        }
        float[] matrix = new float[size * side];
        double[] row = new double[side];
        for (int out = 0; out < size; out++) {
            Arrays.fill(row, 0);
            for (int i = 0; i < kernel.length; i++) {
                int at = out + i - RADIUS;
                if (at < 0) at = -1 - at;
                if (at >= size) at = 2 * size - 1 - at;
                double source = at * (side - 1.0) / (size - 1);
                int low = Math.min((int) source, side - 2);
                double fraction = source - low;
                row[low] += kernel[i] / total * (1 - fraction);
                row[low + 1] += kernel[i] / total * fraction;
            }
            for (int j = 0; j < side; j++) matrix[out * side + j] = (float) (row[j] / 3);
        }
        return matrix;
    }
}

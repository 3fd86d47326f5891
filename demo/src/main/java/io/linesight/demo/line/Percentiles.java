package io.linesight.demo.line;

import java.util.Arrays;

/**
 * Nearest-rank percentiles, in the unit of the values; NaN when there are none.
 *
 * @param p50 median
 */
public record Percentiles(double p50, double p95, double p99) {
    /** Copies the values; their order does not matter. */
    public static Percentiles of(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return new Percentiles(at(sorted, 50), at(sorted, 95), at(sorted, 99));
    }

    private static double at(double[] sorted, double percent) {
        if (sorted.length == 0) return Double.NaN;
        return sorted[(int) Math.max(0, Math.ceil(percent / 100 * sorted.length) - 1)];
    }
}

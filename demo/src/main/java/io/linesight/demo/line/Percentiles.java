package io.linesight.demo.line;

import java.util.Arrays;

/** Nearest-rank percentiles. */
public final class Percentiles {
    private final double[] sorted;

    /** Copies the values. */
    public Percentiles(double[] values) {
        sorted = values.clone();
        Arrays.sort(sorted);
    }

    /** @return NaN when there are no values */
    public double at(double percent) {
        if (sorted.length == 0) return Double.NaN;
        return sorted[(int) Math.max(0, Math.ceil(percent / 100 * sorted.length) - 1)];
    }
}

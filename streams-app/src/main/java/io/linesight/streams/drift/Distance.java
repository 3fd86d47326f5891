package io.linesight.streams.drift;

import java.util.function.DoubleUnaryOperator;

/**
 * How far a distribution is from another, as an effect size and never as a p-value: with enough frames every difference
 * is significant.
 *
 * @param effect Wasserstein distance, without the outermost percent, in widths of the middle 80 % of the one before
 * @param whole as much of it as the median has moved too, at most {@code effect}: what remains is the tail's
 * @param before quantiles at {@link #SHOWN} of the one before
 * @param now the same of the other
 */
record Distance(double effect, double whole, double[] before, double[] now) {
    /** Shares of the values that lie below the quantiles which people see. */
    static final double[] SHOWN = {0.01, 0.1, 0.5, 0.9, 0.99};

    private static final int STEPS = 50;
    /** A light that never changes has hardly any width: less than this share of the median is not worth an alarm. */
    private static final double MIN_WIDTH = 0.1;

    private static final double MIN_WIDTH_OF_IMAGES = 0.01;

    /** @param before and {@code now}: the value that a share of the values lies below */
    static Distance of(Measure measure, DoubleUnaryOperator before, DoubleUnaryOperator now) {
        double floor = Math.max(
                MIN_WIDTH * Math.abs(before.applyAsDouble(0.5)),
                measure == Measure.SCORE ? Float.MIN_NORMAL : MIN_WIDTH_OF_IMAGES);
        double width = Math.max(floor, before.applyAsDouble(0.9) - before.applyAsDouble(0.1));
        double sum = 0;
        for (int i = 0; i < STEPS; i++) {
            double q = (i + 0.5) / STEPS;
            sum += Math.abs(now.applyAsDouble(q) - before.applyAsDouble(q));
        }
        double effect = sum / STEPS / width;
        double median = Math.abs(now.applyAsDouble(0.5) - before.applyAsDouble(0.5)) / width;
        // Where all values move, the median moves as the mean does; half of that still is not a few bad parts.
        double whole = Math.min(effect, 2 * median);
        return new Distance(effect, whole, shown(before), shown(now));
    }

    private static double[] shown(DoubleUnaryOperator quantile) {
        double[] out = new double[SHOWN.length];
        for (int i = 0; i < out.length; i++) out[i] = quantile.applyAsDouble(SHOWN[i]);
        return out;
    }
}

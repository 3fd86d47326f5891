package io.linesight.mmad.checkpoint;

/**
 * Where one product's decision lies on the raw score.
 *
 * @param threshold raw score at the decision point
 * @param scale     raw units per logit, &gt; 0
 */
public record ProductCalibration(double threshold, double scale) {
    public ProductCalibration {
        if (!Double.isFinite(threshold)) throw new IllegalArgumentException("threshold must be finite, got " + threshold);
        if (!(scale > 0) || !Double.isFinite(scale)) throw new IllegalArgumentException("scale must be positive, got " + scale);
    }

    /** {@code sigmoid((raw - threshold) / scale)}: 0.5 at the decision point, NaN stays NaN. */
    public double calibrated(double raw) {
        return 1.0 / (1.0 + Math.exp(-(raw - threshold) / scale));
    }
}

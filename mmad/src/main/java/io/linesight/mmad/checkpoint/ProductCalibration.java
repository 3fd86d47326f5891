package io.linesight.mmad.checkpoint;

import com.fasterxml.jackson.annotation.JsonInclude;

/**
 * Where one product's decision lies on the raw score.
 *
 * @param threshold raw score at the decision point
 * @param scale raw units per logit, &gt; 0
 * @param review which calibrated scores a person should look at; null where the checkpoint does not say
 * @param basis what the threshold rests on; null where the checkpoint does not say
 * @param normals how the raw scores of normal images are distributed; null where the checkpoint does not say
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record ProductCalibration(
        double threshold, double scale, ReviewBand review, ThresholdBasis basis, ScoreQuantiles normals) {
    public ProductCalibration {
        if (!Double.isFinite(threshold))
            throw new IllegalArgumentException("threshold must be finite, got " + threshold);
        if (!(scale > 0) || !Double.isFinite(scale))
            throw new IllegalArgumentException("scale must be positive, got " + scale);
    }

    /** Without a band or a basis, as older checkpoints have it. */
    public ProductCalibration(double threshold, double scale) {
        this(threshold, scale, null, null, null);
    }

    /** Without the distribution of normal scores, as older checkpoints have it. */
    public ProductCalibration(double threshold, double scale, ReviewBand review, ThresholdBasis basis) {
        this(threshold, scale, review, basis, null);
    }

    /** The same but for the decision point. */
    public ProductCalibration withThreshold(double raw) {
        return new ProductCalibration(raw, scale, review, basis, normals);
    }

    /** {@code sigmoid((raw - threshold) / scale)}: 0.5 at the decision point, NaN stays NaN. */
    public double calibrated(double raw) {
        return 1.0 / (1.0 + Math.exp(-(raw - threshold) / scale));
    }

    /** The band that applies: the checkpoint's, or the usual one. */
    public ReviewBand band() {
        return review == null ? ReviewBand.USUAL : review;
    }
}

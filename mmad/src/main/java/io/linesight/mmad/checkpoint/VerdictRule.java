package io.linesight.mmad.checkpoint;

import org.jspecify.annotations.Nullable;

/**
 * From a raw score to a verdict on the product's own scale. It is the only place that decides, so that every command
 * says the same of an image. Immutable, thread-safe.
 *
 * @param low lower limit of the review band of every product, 0..0.5; null takes the checkpoint's band of the product,
 *     or {@link ReviewBand#USUAL} where it has none
 * @param high upper limit of the review band of every product, 0.5..1; null likewise
 */
public record VerdictRule(@Nullable Double low, @Nullable Double high) {

    /** Calibrated score from which an image is anomalous, whatever the review band. */
    public static final double DECISION_POINT = 0.5;

    /** Stands for the product of a calibration where the checkpoint's fallback applies. */
    public static final String FALLBACK = "*";

    /** The bands of the checkpoint, with the usual one where it has none. */
    public static final VerdictRule DEFAULT = new VerdictRule(null, null);

    /** What happens to the part. */
    public enum Verdict {
        /** Good. */
        PASS,
        /** A person looks at it. */
        REVIEW,
        /** Defective. */
        FAIL
    }

    /**
     * What the rule says of one image.
     *
     * @param score calibrated, 0..1, with the precision of a result's; NaN when the model gave no number
     * @param calibration what was applied
     * @param applied product of the calibration, or {@value #FALLBACK}
     */
    public record Decision(double score, Verdict verdict, ProductCalibration calibration, String applied) {
        /** Whether the score reached the decision point. */
        public boolean anomalous() {
            return score >= DECISION_POINT;
        }

        /** Whether the checkpoint has no calibration of the product. */
        public boolean fallback() {
            return applied.equals(FALLBACK);
        }
    }

    /**
     * Decides on one image.
     *
     * @param product null, blank or unknown takes the fallback
     * @param raw image score
     * @param finite whether score and map are free of NaN and infinity: a score beside a map that is partly NaN does
     *     not cover the part that is
     */
    public Decision decide(Calibration calibrations, @Nullable String product, double raw, boolean finite) {
        return decide(calibrations.forProduct(product), calibrations.applied(product), raw, finite);
    }

    /**
     * As above, by the given calibration.
     *
     * @param applied product that it is of, or {@value #FALLBACK}
     */
    public Decision decide(ProductCalibration calibration, String applied, double raw, boolean finite) {
        if (!finite || !Double.isFinite(raw)) return new Decision(Double.NaN, Verdict.REVIEW, calibration, applied);
        double score = score(calibration, raw);
        return new Decision(score, verdict(score, calibration), calibration, applied);
    }

    /**
     * The calibrated score as results have it. Rounded to their precision before it is compared, so that whoever
     * compares a result's score with a limit comes to the same verdict.
     */
    public static double score(ProductCalibration calibration, double raw) {
        return (float) calibration.calibrated(raw);
    }

    /** The verdict on a calibrated score. A score on a limit belongs to what lies above; NaN is for a person. */
    public Verdict verdict(double score, ProductCalibration calibration) {
        if (score < low(calibration)) return Verdict.PASS;
        return score >= high(calibration) ? Verdict.FAIL : Verdict.REVIEW;
    }

    /** Lower limit of the band that applies. */
    public double low(ProductCalibration calibration) {
        return low == null ? calibration.band().low() : low;
    }

    /** Upper limit of the band that applies. */
    public double high(ProductCalibration calibration) {
        return high == null ? calibration.band().high() : high;
    }
}

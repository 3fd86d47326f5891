package io.linesight.trainer.calibration;

/**
 * What thresholds are to hold.
 *
 * @param falseReject share of normal parts at or above the decision point, 0.0001..0.2
 * @param method how they are found
 */
public record CalibrationRule(double falseReject, ThresholdMethod method) {
    public CalibrationRule {
        if (!(falseReject >= 0.0001 && falseReject <= 0.2))
            throw new IllegalArgumentException("the false-reject rate must be 0.0001..0.2, got " + falseReject);
        if (method == null) throw new IllegalArgumentException("a method is needed");
    }

    /** One normal part in a hundred, by the best method that the images allow. */
    public static CalibrationRule defaults() {
        return new CalibrationRule(0.01, ThresholdMethod.AUTO);
    }
}

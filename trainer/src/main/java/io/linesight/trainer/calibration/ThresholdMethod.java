package io.linesight.trainer.calibration;

import java.util.Locale;

/** How a product's threshold is found from its scores. */
public enum ThresholdMethod {
    /** The best that the number of images allows. */
    AUTO,
    /**
     * The scores' own quantile. Needs a hundred normals for every one that is to be rejected wrongly ({@code 100 /
     * rate}).
     */
    QUANTILE,
    /**
     * A generalised Pareto distribution fitted to the highest scores. Needs {@link Calibrator#ENOUGH_FOR_TAIL} normals.
     */
    EVT,
    /**
     * Own location and spread, borrowed from the other products and from the images trained on as far as the own
     * normals say little.
     */
    POOLED,
    /** Student's prediction bound of the own normals, never below the highest: wide where they are few. */
    STUDENT,
    /** The best of the above, lowered towards the threshold of the best F1 by anomalous images. */
    F1MAX;

    /** Its name in checkpoints. */
    String inCheckpoint() {
        return name().toLowerCase(Locale.ROOT);
    }
}

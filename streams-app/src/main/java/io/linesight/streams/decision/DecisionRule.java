package io.linesight.streams.decision;

import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.mmad.checkpoint.VerdictRule;
import org.jspecify.annotations.Nullable;

/**
 * What decides on the frames of a product with a model. Immutable.
 *
 * @param band limits of the review band
 * @param threshold raw score of the decision point that people have set; null leaves it to the checkpoint
 * @param revision offset behind the last live settings that were known; null where they are not followed
 */
public record DecisionRule(VerdictRule band, @Nullable Double threshold, @Nullable Long revision) {
    /** Without live settings. */
    public static DecisionRule of(VerdictRule band) {
        return new DecisionRule(band, null, null);
    }

    /**
     * Decides on one frame.
     *
     * @param product null, blank or unknown takes the fallback calibration
     * @param raw image score
     * @param finite whether score and map are free of NaN and infinity
     */
    public VerdictRule.Decision decide(CheckpointInfo model, @Nullable String product, double raw, boolean finite) {
        if (threshold == null) return band.decide(model.calibration(), product, raw, finite);
        ProductCalibration own = model.calibration().forProduct(product);
        return band.decide(own.withThreshold(threshold), model.calibration().applied(product), raw, finite);
    }
}

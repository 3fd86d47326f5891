package io.linesight.streams.exemption;

import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.checkpoint.VerdictRule;
import io.linesight.mmad.exemption.FrameFeatures;
import io.linesight.streams.decision.DecisionRule;
import org.jspecify.annotations.Nullable;

/**
 * What a model makes of a frame, without exemptions.
 *
 * @param raw image score; finite
 * @param map anomaly map, row-major, 256x256; finite
 * @param features what its encoder saw
 * @param threshold raw score from which on a frame of that product is anomalous
 * @param verdict of the raw score
 */
public record SeenFrame(
        CheckpointInfo model,
        float raw,
        float[] map,
        FrameFeatures features,
        double threshold,
        VerdictRule.Verdict verdict) {

    /**
     * Judges an answer.
     *
     * @param product of the frame; null or unknown takes the fallback calibration
     */
    public static SeenFrame of(
            CheckpointInfo model,
            float raw,
            float[] map,
            FrameFeatures features,
            @Nullable String product,
            DecisionRule rule) {
        VerdictRule.Decision d = rule.decide(model, product, raw, true);
        return new SeenFrame(model, raw, map, features, d.calibration().threshold(), d.verdict());
    }

    /** Scores a frame with the model that serves, beside the line's own frames. */
    @FunctionalInterface
    public interface Look {
        /**
         * @param planar RGB, 8 bit, {@code 3*256*256} bytes
         * @throws NotSeenException when the model gives no answer, or no features
         */
        SeenFrame at(byte[] planar, @Nullable String product) throws NotSeenException, InterruptedException;
    }

    /** A frame that nothing can be said about; the message says why. */
    public static final class NotSeenException extends Exception {
        private static final long serialVersionUID = 1L;

        public NotSeenException(String message) {
            super(message);
        }
    }
}

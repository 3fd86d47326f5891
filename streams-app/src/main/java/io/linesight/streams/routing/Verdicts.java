package io.linesight.streams.routing;

import io.linesight.mmad.checkpoint.Calibration;
import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.mmad.checkpoint.ReviewBand;
import io.linesight.schemas.Verdict;
import io.linesight.streams.batching.Answer;
import io.linesight.streams.batching.Inference;
import org.jspecify.annotations.Nullable;

/** From the model's raw score to a verdict on the product's own scale. Immutable. */
public final class Verdicts {

    /** Calibrated score from which a frame is anomalous, whatever the review band. */
    public static final double DECISION_POINT = 0.5;

    public static final String INFERENCE_FAILED = "INFERENCE_FAILED";
    public static final String MODEL_RETURNED_NAN = "MODEL_RETURNED_NAN";
    public static final String FALLBACK = "*";

    private final @Nullable Double low;
    private final @Nullable Double high;

    /**
     * Calibrated scores below {@code low} are PASS, from {@code high} on FAIL, between them REVIEW.
     *
     * @param low for every product; null leaves it to the checkpoint's band of the product, {@link ReviewBand#USUAL}
     *     where it has none
     * @param high likewise
     */
    public Verdicts(@Nullable Double low, @Nullable Double high) {
        this.low = low;
        this.high = high;
    }

    /**
     * @param score calibrated; NaN when there is none
     * @param reason why there is none, or null
     * @param calibration what was applied
     * @param applied product of the calibration, or {@value #FALLBACK}
     */
    public record Decision(
            double score, Verdict verdict, @Nullable String reason, ProductCalibration calibration, String applied) {
        /** Whether the score reached the decision point. */
        public boolean anomalous() {
            return score >= DECISION_POINT;
        }
    }

    /** @param product of the frame; null or unknown takes the fallback calibration */
    public Decision decide(Inference inference, @Nullable String product) {
        Calibration calibrations = inference.model().calibration();
        ProductCalibration calibration = calibrations.forProduct(product);
        String applied = calibrations.knows(product) ? product : FALLBACK;
        if (!(inference.answer() instanceof Answer.Scored scored))
            return new Decision(Double.NaN, Verdict.REVIEW, INFERENCE_FAILED, calibration, applied);
        // A score beside a map that is partly NaN does not cover the part that is.
        if (!scored.isFinite())
            return new Decision(Double.NaN, Verdict.REVIEW, MODEL_RETURNED_NAN, calibration, applied);
        double score = calibration.calibrated(scored.raw());
        ReviewBand band = calibration.band();
        Verdict verdict = score < (low == null ? band.low() : low)
                ? Verdict.PASS
                : score >= (high == null ? band.high() : high) ? Verdict.FAIL : Verdict.REVIEW;
        return new Decision(score, verdict, null, calibration, applied);
    }
}

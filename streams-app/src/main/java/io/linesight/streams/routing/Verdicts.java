package io.linesight.streams.routing;

import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.mmad.checkpoint.VerdictRule;
import io.linesight.schemas.Verdict;
import io.linesight.streams.batching.Answer;
import io.linesight.streams.batching.Inference;
import io.linesight.streams.decision.DecisionRule;
import io.linesight.streams.decision.DecisionRules;
import org.jspecify.annotations.Nullable;

/** The verdict on an inference, by a {@link DecisionRule}, in the words of a result. Thread-safe. */
public final class Verdicts {

    public static final String INFERENCE_FAILED = "INFERENCE_FAILED";
    public static final String FRAME_SIZE = "FRAME_SIZE";
    public static final String MODEL_RETURNED_NAN = "MODEL_RETURNED_NAN";

    private final DecisionRules rules;

    /** Calibrated scores below the band are PASS, above it FAIL, within it REVIEW. */
    public Verdicts(DecisionRules rules) {
        this.rules = rules;
    }

    /**
     * @param score calibrated; NaN when there is none
     * @param reason why there is none, or null
     * @param calibration what was applied
     * @param applied product of the calibration, or {@value VerdictRule#FALLBACK}
     * @param rule that decided
     */
    public record Decision(
            double score,
            Verdict verdict,
            @Nullable String reason,
            ProductCalibration calibration,
            String applied,
            DecisionRule rule) {
        /** Whether the score reached the decision point. */
        public boolean anomalous() {
            return score >= VerdictRule.DECISION_POINT;
        }

        /** Whether the model has no calibration of the frame's product. */
        public boolean fallback() {
            return applied.equals(VerdictRule.FALLBACK);
        }
    }

    /** @param product of the frame; null or unknown takes the fallback calibration */
    public Decision decide(Inference inference, @Nullable String product) {
        return decide(rules.of(inference.model(), product), inference, product, inference.raw());
    }

    /**
     * As {@link #decide(Inference, String)}, by a rule that was found before and another raw score than the model's.
     */
    public static Decision decide(DecisionRule rule, Inference inference, @Nullable String product, float raw) {
        boolean scored = inference.answer() instanceof Answer.Scored;
        boolean finite = inference.answer() instanceof Answer.Scored answer && answer.isFinite();
        VerdictRule.Decision d = rule.decide(inference.model(), product, raw, finite);
        String reason = finite
                ? null
                : scored
                        ? MODEL_RETURNED_NAN
                        : inference.answer() instanceof Answer.Unfit ? FRAME_SIZE : INFERENCE_FAILED;
        return new Decision(d.score(), of(d.verdict()), reason, d.calibration(), d.applied(), rule);
    }

    private static Verdict of(VerdictRule.Verdict verdict) {
        return switch (verdict) {
            case PASS -> Verdict.PASS;
            case REVIEW -> Verdict.REVIEW;
            case FAIL -> Verdict.FAIL;
        };
    }
}

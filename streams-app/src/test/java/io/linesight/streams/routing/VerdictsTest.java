package io.linesight.streams.routing;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.mmad.checkpoint.Calibration;
import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.mmad.checkpoint.ReviewBand;
import io.linesight.mmad.checkpoint.VerdictRule;
import io.linesight.mmad.score.Scores;
import io.linesight.schemas.Verdict;
import io.linesight.streams.batching.Answer;
import io.linesight.streams.batching.Inference;
import io.linesight.streams.decision.DecisionRules;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** A frame on the line has the verdict that {@code score}, {@code evaluate} and the report give the same image. */
class VerdictsTest {
    private static final List<String> PRODUCTS = List.of("bolt", "Geh\u00e4use", "Geha\u0308use", "nut", " ", "");

    @Test
    void shouldDecideAsTheRuleOfEveryCommand() {
        for (long seed = 0; seed < 5_000; seed++) {
            Random r = new Random(seed);
            Calibration calibration = new Calibration(calibration(r), products(r));
            Double low = r.nextBoolean() ? null : r.nextDouble() / 2;
            Double high = r.nextBoolean() ? null : 0.5 + r.nextDouble() / 2;
            String product = r.nextInt(5) == 0 ? null : PRODUCTS.get(r.nextInt(PRODUCTS.size()));
            ProductCalibration c = calibration.forProduct(product);
            float raw = raw(r, c, new VerdictRule(low, high));
            boolean badMap = r.nextInt(10) == 0;

            Verdicts.Decision onTheLine =
                    new Verdicts(DecisionRules.fixed(low, high)).decide(inference(calibration, raw, badMap), product);
            VerdictRule.Decision offLine = new VerdictRule(low, high).decide(calibration, product, raw, !badMap);

            assertThat(onTheLine.verdict().name())
                    .as("seed %d", seed)
                    .isEqualTo(offLine.verdict().name());
            assertThat((Double) onTheLine.score()).as("seed %d", seed).isEqualTo((Double) offLine.score());
            assertThat(onTheLine.applied()).as("seed %d", seed).isEqualTo(offLine.applied());
            assertThat(onTheLine.anomalous()).as("seed %d", seed).isEqualTo(offLine.anomalous());
            if (badMap || !Float.isFinite(raw))
                assertThat(onTheLine.reason()).as("seed %d", seed).isEqualTo(Verdicts.MODEL_RETURNED_NAN);
        }
    }

    @Test
    void shouldReviewWithTheReasonWhenInferenceFails() {
        CheckpointInfo model =
                new CheckpointInfo("v", "00", new Calibration(new ProductCalibration(0, 1), Map.of()), Map.of());
        Inference failed = new Inference(new Answer.Failed("no memory"), model, 0, 0, 1, Instant.EPOCH);
        Verdicts.Decision d = new Verdicts(DecisionRules.fixed(null, null)).decide(failed, "bolt");
        assertThat(d.verdict()).isEqualTo(Verdict.REVIEW);
        assertThat(d.reason()).isEqualTo(Verdicts.INFERENCE_FAILED);
        assertThat(d.fallback()).isTrue();
    }

    private static Inference inference(Calibration calibration, float raw, boolean badMap) {
        float[] map = new float[4];
        if (badMap) map[2] = Float.NaN;
        CheckpointInfo model = new CheckpointInfo("v", "00", calibration, Map.of());
        Answer answer = new Answer.Scored(new Scores(1, 2, new float[] {raw}, map), 0);
        return new Inference(answer, model, 0, 0, 1, Instant.EPOCH);
    }

    private static Map<String, ProductCalibration> products(Random r) {
        Map<String, ProductCalibration> products = new HashMap<>();
        for (String product : List.of("bolt", "Geh\u00e4use", "Geha\u0308use"))
            if (r.nextBoolean()) products.put(product, calibration(r));
        return products;
    }

    private static ProductCalibration calibration(Random r) {
        ReviewBand band = r.nextBoolean() ? null : new ReviewBand(r.nextDouble() / 2, 0.5 + r.nextDouble() / 2);
        return new ProductCalibration(r.nextGaussian(), Math.pow(10, r.nextInt(4) - 2), band, null);
    }

    private static float raw(Random r, ProductCalibration c, VerdictRule rule) {
        double limit = r.nextBoolean() ? rule.low(c) : rule.high(c);
        return (float)
                switch (r.nextInt(6)) {
                    case 0 -> c.threshold();
                    case 1 -> c.threshold() + c.scale() * Math.log(limit / (1 - limit));
                    case 2 -> Double.NaN;
                    case 3 -> Double.POSITIVE_INFINITY;
                    default -> c.threshold() + c.scale() * 3 * r.nextGaussian();
                };
    }
}

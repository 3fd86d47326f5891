package io.linesight.mmad.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.mmad.checkpoint.VerdictRule.Decision;
import io.linesight.mmad.checkpoint.VerdictRule.Verdict;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class VerdictRuleTest {
    private static final ProductCalibration LINE = new ProductCalibration(2, 0.5);

    private static Calibration of(Map<String, ProductCalibration> products) {
        return new Calibration(new ProductCalibration(4, 1), products);
    }

    /** Raw score whose calibrated score is nearest to the one wanted. */
    private static double rawOf(ProductCalibration c, double score) {
        return c.threshold() + c.scale() * Math.log(score / (1 - score));
    }

    @ParameterizedTest
    @CsvSource({"0.39, PASS", "0.41, REVIEW", "0.5, REVIEW", "0.59, REVIEW", "0.61, FAIL"})
    void shouldReviewBetweenTheUsualLimitsWithoutABandOfTheCheckpoint(double score, Verdict verdict) {
        Decision d = VerdictRule.DEFAULT.decide(of(Map.of("bolt", LINE)), "bolt", rawOf(LINE, score), true);
        assertThat(d.verdict()).isEqualTo(verdict);
        assertThat(d.score()).isEqualTo((float) score);
    }

    @ParameterizedTest
    @CsvSource({"0.1, REVIEW", "0.0999, PASS", "0.9, FAIL", "0.8999, REVIEW"})
    void shouldCountAScoreOnALimitToWhatLiesAbove(double score, Verdict verdict) {
        ProductCalibration c = new ProductCalibration(2, 0.5, new ReviewBand((float) 0.1, (float) 0.9), null);
        assertThat(VerdictRule.DEFAULT.verdict((float) score, c)).isEqualTo(verdict);
    }

    @ParameterizedTest
    @ValueSource(doubles = {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY})
    void shouldReviewARawScoreThatIsNoNumber(double raw) {
        Decision d = VerdictRule.DEFAULT.decide(of(Map.of()), null, raw, true);
        assertThat(d.verdict()).isEqualTo(Verdict.REVIEW);
        assertThat(d.score()).isNaN();
        assertThat(d.anomalous()).isFalse();
    }

    @Test
    void shouldReviewAMapThatIsPartlyNaN() {
        assertThat(VerdictRule.DEFAULT.decide(of(Map.of()), null, 0.1, false).verdict())
                .isEqualTo(Verdict.REVIEW);
    }

    @Test
    void shouldPutTheConfiguredLimitBeforeTheCheckpoints() {
        ProductCalibration c = new ProductCalibration(2, 0.5, new ReviewBand(0.2, 0.8), null);
        assertThat(new VerdictRule(0.45, null).verdict(0.44, c)).isEqualTo(Verdict.PASS);
        assertThat(new VerdictRule(0.45, null).verdict(0.79, c)).isEqualTo(Verdict.REVIEW);
        assertThat(new VerdictRule(null, 0.55).verdict(0.21, c)).isEqualTo(Verdict.REVIEW);
        assertThat(new VerdictRule(null, 0.55).verdict(0.55, c)).isEqualTo(Verdict.FAIL);
    }

    @ParameterizedTest
    @CsvSource({
        "Geh\u00e4use, Geha\u0308use",
        "Geha\u0308use, Geh\u00e4use",
        "\u00c5ngstr\u00f6m, A\u030angstro\u0308m",
        "\u212bngstr\u00f6m, \u00c5ngstr\u00f6m",
        "\ud55c\uae00, \u1112\u1161\u11ab\u1100\u1173\u11af"
    })
    void shouldCompareProductNamesInNormalForm(String inCheckpoint, String inFrame) {
        Decision d = VerdictRule.DEFAULT.decide(of(Map.of(inCheckpoint, LINE)), inFrame, 2, true);
        assertThat(d.fallback()).isFalse();
        assertThat(d.calibration()).isEqualTo(LINE);
    }

    @Test
    void shouldPreferTheNormalSpellingWhereACheckpointHasBoth() {
        Map<String, ProductCalibration> both = new LinkedHashMap<>();
        both.put("a\u0308", new ProductCalibration(1, 1));
        both.put("\u00e4", LINE);
        assertThat(of(both).forProduct("a\u0308")).isEqualTo(LINE);
        assertThat(of(both).byProduct()).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "nut", "BOLT", "bolt "})
    void shouldSayThatTheFallbackApplies(String product) {
        Decision d = VerdictRule.DEFAULT.decide(of(Map.of("bolt", LINE)), product, 2, true);
        assertThat(d.fallback()).isTrue();
        assertThat(d.applied()).isEqualTo("*");
        assertThat(d.calibration().threshold()).isEqualTo(4);
    }

    /** Repeat with the seed in the failure's description. */
    @Test
    void shouldGiveOneVerdictWhoeverComparesTheScore() {
        for (long seed = 0; seed < 20_000; seed++) {
            Random r = new Random(seed);
            ProductCalibration c = calibration(r);
            VerdictRule rule =
                    new VerdictRule(r.nextBoolean() ? null : limit(r, 0), r.nextBoolean() ? null : limit(r, 0.5));
            Calibration all = of(Map.of("bolt", c));
            double raw = raw(r, c, rule);
            String product = r.nextInt(3) == 0 ? null : "bolt";
            Decision d = rule.decide(all, product, raw, true);
            ProductCalibration applied = product == null ? all.fallback() : c;
            assertThat(d.calibration()).as("seed %d", seed).isEqualTo(applied);
            assertThat(d.fallback()).as("seed %d", seed).isEqualTo(product == null);
            // As a reader of the result does, who has the score as a float and the limits.
            float published = (float) d.score();
            Verdict read = !Double.isFinite(raw)
                    ? Verdict.REVIEW
                    : published < rule.low(applied)
                            ? Verdict.PASS
                            : published < rule.high(applied) ? Verdict.REVIEW : Verdict.FAIL;
            assertThat(d.verdict()).as("seed %d, raw %s", seed, raw).isEqualTo(read);
            assertThat(d.anomalous()).as("seed %d, raw %s", seed, raw).isEqualTo(published >= 0.5f);
            if (d.verdict() == Verdict.PASS)
                assertThat(d.anomalous()).as("seed %d", seed).isFalse();
            if (d.verdict() == Verdict.FAIL)
                assertThat(d.anomalous()).as("seed %d", seed).isTrue();
        }
    }

    private static ProductCalibration calibration(Random r) {
        double threshold = (r.nextDouble() - 0.3) * Math.pow(10, r.nextInt(5) - 2);
        double scale = Math.pow(10, r.nextInt(7) - 4) * (r.nextDouble() + 1e-3);
        return new ProductCalibration(
                threshold, scale, r.nextBoolean() ? null : new ReviewBand(limit(r, 0), limit(r, 0.5)), null);
    }

    private static double limit(Random r, double from) {
        return switch (r.nextInt(4)) {
            case 0 -> from;
            case 1 -> from + 0.5;
            default -> from + r.nextDouble() / 2;
        };
    }

    private static double raw(Random r, ProductCalibration c, VerdictRule rule) {
        return switch (r.nextInt(8)) {
            case 0 -> c.threshold();
            case 1 -> rawOf(c, rule.low(c));
            case 2 -> rawOf(c, rule.high(c));
            case 3 -> Math.nextDown(rawOf(c, rule.low(c)));
            case 4 -> (float) c.threshold();
            case 5 ->
                new double[] {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 1e300, -1e300, 0}
                        [r.nextInt(6)];
            default -> c.threshold() + c.scale() * r.nextGaussian() * 3;
        };
    }
}

package io.linesight.trainer.calibration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import io.linesight.mmad.checkpoint.Calibration;
import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.mmad.checkpoint.ThresholdBasis;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class CalibratorTest {
    private static final double[] NONE = {};
    private static final double[] NORMALS = {0.10, 0.11, 0.12, 0.12, 0.13, 0.13, 0.14, 0.14, 0.15, 0.16};

    /** Scores of normal parts, all positive, about 0.3. */
    enum Law {
        NORMAL(r -> 0.3 + 0.02 * r.nextGaussian()),
        LOGNORMAL(r -> 0.3 * Math.exp(0.25 * r.nextGaussian())),
        /** Student's t with four degrees of freedom. */
        HEAVY(r -> {
            double chi = 0;
            for (int i = 0; i < 4; i++) {
                double g = r.nextGaussian();
                chi += g * g;
            }
            return Math.max(0.01, 0.3 + 0.02 * r.nextGaussian() / Math.sqrt(chi / 4));
        }),
        /** Maxima, as image scores are: Gumbel. */
        MAXIMA(r -> 0.3 - 0.02 * Math.log(-Math.log(r.nextDouble() + 1e-300)));

        final ToDoubleFunction<Random> draw;

        Law(ToDoubleFunction<Random> draw) {
            this.draw = draw;
        }

        double[] draw(Random r, int n) {
            double[] x = new double[n];
            for (int i = 0; i < n; i++) x[i] = draw.applyAsDouble(r);
            return x;
        }
    }

    private static ProductCalibration of(double[] normals, double[] anomalous, CalibrationRule rule) {
        return Calibrator.calibrate(Map.of("a", new ProductScores(normals, NONE, anomalous)), rule)
                .forProduct("a");
    }

    private static ProductCalibration of(double[] normals, double... anomalous) {
        return of(normals, anomalous, CalibrationRule.defaults());
    }

    /** Mean share of further normals at or above the threshold. */
    private static double realised(Law law, int n, int trials, int further, CalibrationRule rule) {
        Random r = new Random(4);
        long rejected = 0;
        for (int t = 0; t < trials; t++) {
            double threshold = of(law.draw(r, n), NONE, rule).threshold();
            rejected += Arrays.stream(law.draw(r, further))
                    .filter(d -> d >= threshold)
                    .count();
        }
        return rejected / ((double) trials * further);
    }

    @ParameterizedTest
    @CsvSource({
        "NORMAL,5,0.001,0.02",
        "NORMAL,20,0.004,0.015",
        "NORMAL,100,0.006,0.015",
        "NORMAL,1000,0.008,0.013",
        "LOGNORMAL,5,0.004,0.04",
        "LOGNORMAL,20,0.008,0.03",
        "LOGNORMAL,100,0.006,0.015",
        "LOGNORMAL,1000,0.008,0.013",
        "HEAVY,5,0.003,0.04",
        "HEAVY,20,0.008,0.03",
        "HEAVY,100,0.006,0.015",
        "HEAVY,1000,0.008,0.013",
        "MAXIMA,5,0.005,0.04",
        "MAXIMA,20,0.008,0.03",
        "MAXIMA,100,0.006,0.015",
        "MAXIMA,1000,0.008,0.013"
    })
    void shouldRejectAboutOneNormalInAHundred(Law law, int n, double min, double max) {
        // Few normals cannot show that their distribution is a skewed one; what they are allowed for that says how far
        // it can go wrong.
        assertThat(realised(law, n, n > 500 ? 40 : 250, 400, CalibrationRule.defaults()))
                .isBetween(min, max);
    }

    @ParameterizedTest
    @EnumSource(Law.class)
    void shouldHoldARateThatTheNormalsAreEnoughForByTheirOwnQuantile(Law law) {
        CalibrationRule rule = new CalibrationRule(0.1, ThresholdMethod.AUTO);
        assertThat(of(law.draw(new Random(1), 1000), NONE, rule).basis().method())
                .isEqualTo("quantile");
        assertThat(realised(law, 1000, 60, 500, rule)).isCloseTo(0.1, within(0.01));
    }

    /**
     * Ten products with four normals each that were not trained on, and thirty that were and score lower and closer.
     */
    private static Map<String, ProductScores> tenProducts(Law law, Random r, Map<String, Double> levels) {
        Map<String, ProductScores> products = new TreeMap<>();
        for (int p = 0; p < 10; p++) {
            double level = Math.exp(0.5 * r.nextGaussian());
            levels.put("p" + p, level);
            double[] training = law.draw(r, 30);
            for (int i = 0; i < training.length; i++) training[i] = level * (0.3 + 0.8 * (training[i] - 0.3)) * 0.95;
            products.put(
                    "p" + p,
                    new ProductScores(
                            Arrays.stream(law.draw(r, 4)).map(d -> d * level).toArray(), training, NONE));
        }
        return products;
    }

    @ParameterizedTest
    @EnumSource(Law.class)
    void shouldHoldTheRateWithFourNormalsOfEachProductByWhatTheOthersAndTheTrainingImagesTell(Law law) {
        Random r = new Random(7);
        long pooled = 0;
        long student = 0;
        double apart = 0;
        double apartStudent = 0;
        int trials = 20;
        for (int t = 0; t < trials; t++) {
            Map<String, Double> levels = new TreeMap<>();
            Map<String, ProductScores> products = tenProducts(law, r, levels);
            Calibration by = Calibrator.calibrate(products, CalibrationRule.defaults());
            Calibration alone = Calibrator.calibrate(products, new CalibrationRule(0.01, ThresholdMethod.STUDENT));
            double best = Tail.empirical(law.draw(r, 20_000)).quantile(0.01);
            for (String p : products.keySet()) {
                assertThat(by.forProduct(p).basis().method()).isEqualTo("pooled");
                double level = levels.get(p);
                double[] further = law.draw(r, 200);
                pooled += Arrays.stream(further)
                        .filter(d -> d * level >= by.forProduct(p).threshold())
                        .count();
                student += Arrays.stream(further)
                        .filter(d -> d * level >= alone.forProduct(p).threshold())
                        .count();
                apart += Math.abs(Math.log(by.forProduct(p).threshold() / level / best));
                apartStudent += Math.abs(Math.log(alone.forProduct(p).threshold() / level / best));
            }
        }
        double all = trials * 10 * 200.0;
        assertThat(pooled / all).as("realised, Student's own %s", student / all).isBetween(0.003, 0.02);
        assertThat(apart).as("distance from the best threshold").isLessThan(0.9 * apartStudent);
    }

    @Test
    void shouldNotLetOneProductsOutliersRaiseAnothersThresholdMuch() {
        Random r = new Random(3);
        Map<String, ProductScores> products = tenProducts(Law.NORMAL, r, new TreeMap<>());
        double before = Calibrator.calibrate(products, CalibrationRule.defaults())
                .forProduct("p1")
                .threshold();
        ProductScores p0 = products.get("p0");
        double[] soiled = p0.training().clone();
        for (int i = 0; i < 3; i++) soiled[i] *= 3;
        products.put("p0", new ProductScores(p0.normals(), soiled, NONE));
        double after = Calibrator.calibrate(products, CalibrationRule.defaults())
                .forProduct("p1")
                .threshold();
        assertThat(after).isBetween(0.95 * before, 1.1 * before);
    }

    @ParameterizedTest
    @EnumSource(
            value = ThresholdMethod.class,
            names = {"QUANTILE", "EVT", "POOLED", "STUDENT"})
    void shouldSetLowerThresholdsForHigherRates(ThresholdMethod method) {
        for (int n : new int[] {20, 60, 300}) {
            double[] normals = Law.MAXIMA.draw(new Random(n), n);
            double last = Double.POSITIVE_INFINITY;
            for (double rate : new double[] {0.001, 0.005, 0.01, 0.05, 0.1}) {
                double threshold =
                        of(normals, NONE, new CalibrationRule(rate, method)).threshold();
                assertThat(threshold).isLessThanOrEqualTo(last);
                last = threshold;
            }
        }
    }

    @Test
    void shouldChooseByTheNumberOfNormalsAndSayWhich() {
        Random r = new Random(2);
        assertThat(of(Law.NORMAL.draw(r, 49)).basis().method()).isEqualTo("student");
        assertThat(of(Law.NORMAL.draw(r, 50)).basis().method()).isEqualTo("evt");
        ThresholdBasis b = of(Law.NORMAL.draw(r, 10_000)).basis();
        assertThat(b.method()).isEqualTo("quantile");
        assertThat(b.normals()).isEqualTo(10_000);
        assertThat(b.anomalous()).isZero();
        assertThat(b.targetFalseRejectRate()).isEqualTo(0.01);
        assertThat(b.expectedFalseRejectRate()).isCloseTo(0.01, within(0.0005));
        assertThat(b.expectedMissRate()).isNull();
        assertThat(of(NORMALS, 0.2).basis().method()).isEqualTo("f1max");
    }

    @Test
    void shouldRejectMethodThatNeedsMoreNormalsRatherThanUseAnother() {
        assertThatThrownBy(() -> of(NORMALS, NONE, new CalibrationRule(0.01, ThresholdMethod.EVT)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("10")
                .hasMessageContaining("20");
    }

    @Test
    void shouldNoteTheDistributionThatItsThresholdRestsOn() {
        for (int normals : new int[] {5, 30, 80, 20_000}) {
            ProductCalibration c = of(Law.NORMAL.draw(new Random(7), normals));
            double rate = c.basis().expectedFalseRejectRate();
            assertThat(c.normals().rateAt(c.threshold()))
                    .as("%d normals", normals)
                    .isCloseTo(rate, withinPercentage(10));
            assertThat(c.normals().scoreAt(rate))
                    .as("%d normals", normals)
                    .isCloseTo(c.threshold(), within(0.05 * c.scale()));
        }
    }

    @Test
    void shouldSayWhatTheNormalsProveByCounting() {
        // None in 20: 1 - 0.05^(1/20).
        assertThat(of(Law.NORMAL.draw(new Random(5), 20)).basis().upperFalseRejectRate())
                .isCloseTo(0.1391, within(0.0001));
    }

    @Test
    void shouldHaveABandEvenWhereOneNormalStandsFarOut() {
        double[] normals = Law.NORMAL.draw(new Random(5), 30);
        normals[7] = 30;
        ProductCalibration c = of(normals, NONE, new CalibrationRule(0.01, ThresholdMethod.STUDENT));
        assertThat(c.threshold()).isGreaterThanOrEqualTo(30);
        assertThat(c.review().low()).isLessThan(0.5);
        assertThat(c.review().high()).isGreaterThan(0.5);
    }

    @ParameterizedTest
    @EnumSource(Law.class)
    void shouldPutTheBandAroundTheThresholdAndTellItsRates(Law law) {
        Random r = new Random(6);
        ProductCalibration c = of(law.draw(r, 400));
        assertThat(c.review().low()).isBetween(0.01, 0.499);
        assertThat(c.review().high()).isBetween(0.501, 0.99);
        ThresholdBasis b = c.basis();
        assertThat(b.expectedFailRate()).isLessThan(b.expectedFalseRejectRate());
        double[] further = law.draw(r, 100_000);
        double fail = Arrays.stream(further)
                        .filter(d -> c.calibrated(d) >= c.review().high())
                        .count()
                / 1e5;
        double review = Arrays.stream(further)
                                .filter(d -> c.calibrated(d) >= c.review().low())
                                .count()
                        / 1e5
                - fail;
        assertThat(fail).isCloseTo(b.expectedFailRate(), within(0.006));
        assertThat(review).isCloseTo(b.expectedReviewRate(), within(0.03));
    }

    @Test
    void shouldNeverRejectASeenNormalByStudentsBound() {
        double[] scores = new double[20];
        Arrays.fill(scores, 0.1);
        scores[19] = 0.5;
        assertThat(of(scores).threshold()).isGreaterThanOrEqualTo(0.5);
    }

    @Test
    void shouldSurviveFewOrEqualOrNegativeScores() {
        assertThat(of(new double[] {0.4}).threshold()).isGreaterThan(0.4);
        assertThat(of(new double[] {0.4, 0.4}).scale()).isPositive();
        assertThat(of(new double[] {0, 0, 0}).threshold()).isFinite();
        double[] same = new double[200];
        Arrays.fill(same, 0.3);
        assertThat(of(same).threshold()).isGreaterThanOrEqualTo(0.3);
        Calibration c = Calibrator.calibrate(
                Map.of("a", ProductScores.normals(0.1, 0.12, 0.11), "b", ProductScores.normals(0.4, 0.41)),
                CalibrationRule.defaults());
        assertThat(c.knows("a")).isTrue();
        assertThat(c.forProduct("b").threshold()).isGreaterThan(0.405);
        assertThat(c.forProduct("unknown").threshold()).isGreaterThan(0.41);
        Calibration d = Calibrator.calibrate(
                Map.of(
                        "a",
                        ProductScores.normals(-0.1, 0.12, 0.11),
                        "b",
                        ProductScores.normals(0.4),
                        "c",
                        ProductScores.normals(0.2, 0.2)),
                CalibrationRule.defaults());
        for (String p : d.byProduct().keySet())
            assertThat(d.forProduct(p).threshold()).as(p).isFinite().isGreaterThan(0.1);
    }

    private static double[] repeated(int n, double from) {
        double[] s = new double[n];
        for (int i = 0; i < n; i++) s[i] = from + 0.0001 * i;
        return s;
    }

    @Test
    void shouldKeepTheBoundWhereAnomalousScoresAreAboveIt() {
        double bound = of(NORMALS).threshold();
        assertThat(of(NORMALS, 0.9, 0.8, 0.95).threshold())
                .as("easy defects do not raise it")
                .isEqualTo(bound);
    }

    @Test
    void shouldLowerTheThresholdTowardsMissedAnomaliesAsFarAsTheirNumberAllows() {
        double bound = of(NORMALS).threshold();
        assertThat(bound).isGreaterThan(0.17);
        double few = of(NORMALS, 0.165, 0.9).threshold();
        double many = of(NORMALS, repeated(90, 0.165)).threshold();
        assertThat(few).isLessThan(bound).isGreaterThan(bound - 0.3 * (bound - 0.165));
        assertThat(many).isLessThan(few).isCloseTo(0.165, within(0.004));
    }

    @Test
    void shouldNeverRejectMoreThanOneNormalInTwentyForTheSakeOfAnomalies() {
        // Anomalous scores right among the normals, and many of them: F1 alone would reject everything.
        double ten = of(NORMALS, repeated(500, 0.11)).threshold();
        assertThat(Arrays.stream(NORMALS).filter(s -> s >= ten)).isEmpty();
        double[] forty = new double[40];
        for (int i = 0; i < 40; i++) forty[i] = NORMALS[i % 10];
        double t = of(forty, repeated(500, 0.11)).threshold();
        assertThat(Arrays.stream(forty).filter(s -> s >= t).count()).isLessThanOrEqualTo(2);
    }

    @Test
    void shouldOnlyEverLowerThresholdsByAnomalies() {
        Random r = new Random(9);
        for (int i = 0; i < 200; i++) {
            double[] normals = Law.values()[i % 4].draw(r, 5 + r.nextInt(100));
            double[] anomalous = Arrays.stream(Law.values()[i % 4].draw(r, 1 + r.nextInt(40)))
                    .map(d -> d * 1.3)
                    .toArray();
            assertThat(of(normals, anomalous).threshold())
                    .isLessThanOrEqualTo(of(normals).threshold());
        }
    }

    @Test
    void shouldFitTheScaleToAnomaliesWithTheDecisionPointInPlace() {
        Random r = new Random(8);
        double[] normals = Law.NORMAL.draw(r, 200);
        // The same threshold, but the anomalous scores overlap or lie far above.
        ProductCalibration near = of(
                normals,
                Arrays.stream(Law.NORMAL.draw(r, 100)).map(d -> d + 0.06).toArray());
        ProductCalibration far = of(
                normals,
                Arrays.stream(Law.NORMAL.draw(r, 100)).map(d -> d + 0.5).toArray());
        assertThat(near.calibrated(near.threshold())).isEqualTo(0.5);
        assertThat(near.scale()).isNotEqualTo(of(normals).scale());
        assertThat(far.scale())
                .as("what is separated well is told with certainty")
                .isLessThan(near.scale());
        assertThat(near.basis().expectedMissRate()).isBetween(0.05, 0.6);
        assertThat(far.basis().expectedMissRate()).isZero();
    }

    private static double upper(double deviations) {
        return org.apache.commons.statistics.distribution.NormalDistribution.of(0, 1)
                .survivalProbability(deviations);
    }

    /** Every part four times, so that a hundred images are of 25 parts. */
    private static double[] fourTimes(Random r, int parts) {
        double[] x = new double[4 * parts];
        for (int i = 0; i < x.length; i += 4) Arrays.fill(x, i, i + 4, 1.5 + 0.5 * r.nextGaussian());
        return x;
    }

    @ParameterizedTest
    @CsvSource({"8,STUDENT", "30,STUDENT", "60,EVT", "100,EVT"})
    void shouldHoldTheRateByTheNumberOfGroupsAndNotOfImages(int parts, ThresholdMethod method) {
        Random r = new Random(3);
        double grouped = 0;
        double single = 0;
        int trials = 200;
        for (int t = 0; t < trials; t++) {
            double[] x = fourTimes(r, parts);
            ProductCalibration c = Calibrator.calibrate(
                            Map.of("a", ProductScores.grouped(x, new Groups(parts, true))), CalibrationRule.defaults())
                    .forProduct("a");
            assertThat(c.basis().method()).isEqualTo(method.inCheckpoint());
            grouped += upper((c.threshold() - 1.5) / 0.5) / trials;
            single += upper((of(x).threshold() - 1.5) / 0.5) / trials;
        }
        assertThat(grouped).isBetween(0.003, 0.02);
        if (method == ThresholdMethod.EVT) assertThat(grouped).isLessThan(single);
    }
}

package io.linesight.mmad.accuracy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class AnomalyMetricsTest {
    private static final int SIDE = 16;

    private static float[] noise(Random random, byte[] mask, float lift) {
        float[] map = new float[SIDE * SIDE];
        for (int i = 0; i < map.length; i++) map[i] = random.nextFloat() + (mask != null && mask[i] != 0 ? lift : 0);
        return map;
    }

    private static byte[] square(int from, int side) {
        byte[] mask = new byte[SIDE * SIDE];
        for (int y = from; y < from + side; y++) {
            for (int x = from; x < from + side; x++) mask[y * SIDE + x] = 1;
        }
        return mask;
    }

    @Test
    void shouldBePerfectWhenEverythingIsSeparated() {
        try (AnomalyMetrics metrics = new AnomalyMetrics(SIDE)) {
            for (int i = 0; i < 5; i++) {
                metrics.add(0.1 + i * 0.01, false, new float[SIDE * SIDE], null);
                byte[] mask = square(3, 5);
                float[] map = new float[SIDE * SIDE];
                for (int p = 0; p < map.length; p++) map[p] = mask[p];
                metrics.add(0.8 + i * 0.01, true, map, mask);
            }
            CategoryMetrics m = metrics.compute();
            assertThat(m.imageAuroc()).isEqualTo(1);
            assertThat(m.imageAp()).isEqualTo(1);
            assertThat(m.imageF1max()).isEqualTo(1);
            assertThat(m.pixelAuroc()).isEqualTo(1);
            assertThat(m.pixelF1max()).isCloseTo(1, within(1e-7));
            assertThat(m.aupro()).isCloseTo(1, within(1e-12));
            assertThat(m.normal()).isEqualTo(5);
            assertThat(m.anomalous()).isEqualTo(5);
        }
    }

    @Test
    void shouldNotDependOnWhereTheMapsWereKept() {
        Random random = new Random(6);
        List<float[]> maps = new ArrayList<>();
        List<byte[]> masks = new ArrayList<>();
        try (AnomalyMetrics metrics = new AnomalyMetrics(SIDE)) {
            for (int i = 0; i < 200; i++) {
                byte[] mask = i % 2 == 0 ? null : square(1 + i % 7, 4);
                maps.add(noise(random, mask, 0.5f));
                masks.add(mask);
                metrics.add(random.nextDouble(), mask != null, maps.get(i), mask);
            }
            PixelMetrics.Binned expected = PixelMetrics.binned(maps, masks, SIDE, SIDE, 50, true);
            for (int twice = 0; twice < 2; twice++) {
                CategoryMetrics m = metrics.compute();
                assertThat(m.pixelAuroc()).isEqualTo(expected.auroc());
                assertThat(m.pixelAp()).isEqualTo(expected.averagePrecision());
                assertThat(m.aupro()).isEqualTo(expected.aupro());
                assertThat(m.pixelF1max()).isEqualTo(PixelMetrics.f1Max(maps, masks));
            }
        }
    }

    @Test
    void shouldGiveTheCurvesItsFiguresAreAreasOf() {
        Random random = new Random(8);
        for (int round = 0; round < 20; round++) {
            try (AnomalyMetrics metrics = new AnomalyMetrics(SIDE)) {
                for (int i = 0; i < 60; i++) {
                    byte[] mask = i % 3 == 0 ? null : square(1 + i % 7, 1 + i % 5);
                    // Rounded, so that scores are tied.
                    double score = Math.round(random.nextGaussian() * 3 + (mask == null ? 0 : round / 4.0));
                    metrics.add(score, mask != null, noise(random, mask, round / 10f), mask);
                }
                AnomalyMetrics.Measured m = metrics.measure();
                assertThat(m.curves().imageRoc().area()).isCloseTo(m.metrics().imageAuroc(), within(1e-12));
                assertThat(m.curves().imagePrecisionRecall().area())
                        .isCloseTo(m.metrics().imageAp(), within(1e-12));
                assertThat(m.curves().pixelRoc().area()).isCloseTo(m.metrics().pixelAuroc(), within(1e-12));
                assertThat(m.curves().pixelPrecisionRecall().area())
                        .isCloseTo(m.metrics().pixelAp(), within(1e-12));
                assertThat(m.curves().regionOverlap().area() / CategoryCurves.OVERLAP_LIMIT)
                        .isCloseTo(m.metrics().aupro(), within(1e-12));
                double[] x = m.curves().regionOverlap().x();
                assertThat(x[x.length - 1]).isEqualTo(CategoryCurves.OVERLAP_LIMIT);
                assertThat(m.curves().imageRoc().x()).isSorted().startsWith(0).endsWith(1);
                assertThat(m.curves().imageRoc().y()).isSorted().startsWith(0).endsWith(1);
            }
        }
    }

    @Test
    void shouldHaveNoCurvesWhereThereAreNoFigures() {
        try (AnomalyMetrics metrics = new AnomalyMetrics(SIDE)) {
            metrics.add(0.1, false, new float[SIDE * SIDE], null);
            CategoryCurves none = metrics.measure().curves();
            assertThat(none.imageRoc()).isNull();
            assertThat(none.pixelRoc()).isNull();
            metrics.add(0.2, true, new float[SIDE * SIDE], null);
            CategoryCurves perImage = metrics.measure().curves();
            assertThat(perImage.imageRoc().area()).isEqualTo(1);
            assertThat(perImage.regionOverlap()).isNull();
        }
    }

    @Test
    void shouldLeavePixelMetricsOutWithoutMasks() {
        try (AnomalyMetrics metrics = new AnomalyMetrics(SIDE)) {
            metrics.add(0.1, false, new float[SIDE * SIDE], null);
            metrics.add(0.2, true, new float[SIDE * SIDE], null);
            CategoryMetrics m = metrics.compute();
            assertThat(m.imageAuroc()).isEqualTo(1);
            assertThat(m.pixelAuroc()).isNull();
            assertThat(m.aupro()).isNull();
            assertThat(m.mad()).isNull();
        }
    }

    @Test
    void shouldLeaveImageMetricsOutWithOneClassOnly() {
        try (AnomalyMetrics metrics = new AnomalyMetrics(SIDE)) {
            metrics.add(0.1, false, new float[SIDE * SIDE], null);
            CategoryMetrics m = metrics.compute();
            assertThat(m.imageAuroc()).isNull();
            assertThat(m.normal()).isEqualTo(1);
        }
    }

    @Test
    void shouldCountADefectThatVanishedInResizingAsNormal() {
        try (AnomalyMetrics metrics = new AnomalyMetrics(SIDE)) {
            metrics.add(0.1, true, new float[SIDE * SIDE], new byte[SIDE * SIDE]);
            metrics.add(0.2, true, new float[SIDE * SIDE], square(2, 2));
            CategoryMetrics m = metrics.compute();
            assertThat(m.normal()).isEqualTo(1);
            assertThat(m.anomalous()).isEqualTo(1);
            assertThat(m.imageAuroc()).isEqualTo(1);
        }
    }

    @Test
    void shouldRejectWhatCannotBeRanked() {
        try (AnomalyMetrics metrics = new AnomalyMetrics(SIDE)) {
            float[] map = new float[SIDE * SIDE];
            assertThatThrownBy(() -> metrics.add(Double.NaN, true, map, null)).hasMessageContaining("NaN");
            assertThatThrownBy(() -> metrics.add(1, true, new float[3], null))
                    .hasMessageContaining("256 values, got 3");
            map[7] = Float.POSITIVE_INFINITY;
            assertThatThrownBy(() -> metrics.add(1, true, map, null)).hasMessageContaining("Infinity");
            assertThat(metrics.compute().normal()).isZero();
        }
    }

    @Test
    void shouldRankAsTheDefinitionSaysAndIgnoreMonotoneMaps() {
        Random random = new Random(8);
        for (int round = 0; round < 300; round++) {
            int n = 2 + random.nextInt(60);
            float[] scores = new float[n];
            boolean[] labels = new boolean[n];
            byte[] bytes = new byte[n];
            for (int i = 0; i < n; i++) {
                // Few distinct values, negative ones and both zeros among them: ties everywhere.
                scores[i] = random.nextInt(10) == 0 ? -0f : random.nextInt(9) - 4;
                labels[i] = i == 0 || (i > 1 && random.nextBoolean());
                bytes[i] = (byte) (labels[i] ? 1 : 0);
            }
            double wins = 0;
            int pairs = 0;
            for (int i = 0; i < n; i++) {
                for (int j = 0; j < n; j++) {
                    if (!labels[i] || labels[j]) continue;
                    pairs++;
                    wins += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
                }
            }
            double auroc = AnomalyMetrics.auroc(scores, labels);
            assertThat(auroc).isCloseTo(wins / pairs, within(1e-12));
            float[] mapped = new float[n];
            for (int i = 0; i < n; i++) mapped[i] = (float) Math.exp(scores[i] * 0.5) - 3;
            assertThat(AnomalyMetrics.auroc(mapped, labels)).isEqualTo(auroc);
            assertThat(RankingMetrics.averagePrecision(mapped, bytes))
                    .isEqualTo(RankingMetrics.averagePrecision(scores, bytes));
            assertThat(RankingMetrics.f1Max(mapped, bytes)).isEqualTo(RankingMetrics.f1Max(scores, bytes));
            float[] negated = new float[n];
            for (int i = 0; i < n; i++) negated[i] = -scores[i];
            assertThat(AnomalyMetrics.auroc(negated, labels)).isCloseTo(1 - auroc, within(1e-12));
        }
    }

    @Test
    void shouldAverageOverCategoriesThatHaveTheMetric() {
        CategoryMetrics a = new CategoryMetrics(0.8, 0.9, 0.7, null, null, null, null, null, 3, 4);
        CategoryMetrics b = new CategoryMetrics(0.6, 0.9, 0.7, 0.5, 0.5, 0.5, 0.5, 0.6, 1, 2);
        CategoryMetrics mean = CategoryMetrics.mean(List.of(a, b));
        assertThat(mean.imageAuroc()).isCloseTo(0.7, within(1e-12));
        assertThat(mean.pixelAuroc()).isEqualTo(0.5);
        assertThat(mean.normal()).isEqualTo(4);
        assertThat(CategoryMetrics.mean(List.of(a)).aupro()).isNull();
    }
}

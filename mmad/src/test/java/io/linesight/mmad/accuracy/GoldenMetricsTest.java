package io.linesight.mmad.accuracy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.linesight.mmad.golden.GoldenSet;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Every variant of every metric against the values that scikit-learn, ADer and adeval gave for the same maps. */
class GoldenMetricsTest {
    private static final int SIDE = 96;
    private static final Offset<Double> EXACT = within(1e-12);

    private JsonNode expected;
    private final List<float[]> maps = new ArrayList<>();
    private final List<byte[]> masks = new ArrayList<>();
    private float[] scores;
    private byte[] labels;

    @BeforeEach
    void load() throws IOException {
        expected = GoldenSet.json("metrics.json");
        try (GoldenSet golden = GoldenSet.open("metrics")) {
            float[] map = golden.floats("score");
            byte[] mask = golden.bytes("mask");
            int n = SIDE * SIDE;
            for (int i = 0; i < map.length / n; i++) {
                maps.add(Arrays.copyOfRange(map, i * n, (i + 1) * n));
                masks.add(Arrays.copyOfRange(mask, i * n, (i + 1) * n));
            }
            scores = golden.floats("image_score");
            int[] label = golden.ints("image_label");
            labels = new byte[label.length];
            for (int i = 0; i < label.length; i++) labels[i] = (byte) label[i];
        }
    }

    @Test
    void shouldGiveTheSevenMetricsOfTheReferencesConfiguration() {
        JsonNode e = expected.get("ader_config (use_adeval=True, nstrips=50: what the MMAD config reports)");
        try (AnomalyMetrics metrics = new AnomalyMetrics(SIDE)) {
            for (int i = 0; i < scores.length; i++)
                metrics.add(scores[i], labels[i] != 0, maps.get(i), labels[i] != 0 ? masks.get(i) : null);
            CategoryMetrics m = metrics.compute();
            assertThat(m.imageAuroc()).isCloseTo(e.get("mAUROC_sp_max").asDouble(), EXACT);
            assertThat(m.imageAp()).isCloseTo(e.get("mAP_sp_max").asDouble(), EXACT);
            assertThat(m.imageF1max()).isCloseTo(e.get("mF1_max_sp_max").asDouble(), EXACT);
            assertThat(m.pixelF1max()).isCloseTo(e.get("mF1_max_px").asDouble(), within(1e-8));
            assertThat(m.pixelAuroc()).isCloseTo(e.get("mAUROC_px").asDouble(), within(1e-8));
            assertThat(m.pixelAp()).isCloseTo(e.get("mAP_px").asDouble(), within(1e-7));
            assertThat(m.aupro()).isCloseTo(e.get("mAUPRO_px").asDouble(), within(1e-7));
            double sum = m.imageAuroc()
                    + m.imageAp()
                    + m.imageF1max()
                    + m.pixelAuroc()
                    + m.pixelAp()
                    + m.pixelF1max()
                    + m.aupro();
            assertThat(m.mad()).isCloseTo(sum / 7, EXACT);
            assertThat(m.normal() + m.anomalous()).isEqualTo(16);
        }
    }

    @Test
    void shouldGiveTheExactPixelMetrics() {
        JsonNode e = expected.get("ader_exact (use_adeval=False, max_step_aupro=100)");
        assertThat(PixelMetrics.aurocExact(maps, masks))
                .isCloseTo(e.get("mAUROC_px").asDouble(), EXACT);
        assertThat(PixelMetrics.averagePrecisionExact(maps, masks))
                .isCloseTo(e.get("mAP_px").asDouble(), EXACT);
        assertThat(PixelMetrics.f1MaxExact(maps, masks))
                .isCloseTo(expected.get("sklearn exact pixel F1max").asDouble(), EXACT);
        assertThat(PixelMetrics.f1Max(maps, masks))
                .isCloseTo(e.get("mF1_max_px").asDouble(), within(1e-8));
        assertThat(PixelMetrics.auproStepped(maps, masks, SIDE, SIDE, 100))
                .isCloseTo(e.get("mAUPRO_px").asDouble(), within(1e-7));
        assertThat(PixelMetrics.auproStepped(maps, masks, SIDE, SIDE, 200))
                .isCloseTo(expected.get("ader_exact AUPRO max_step=200").asDouble(), within(1e-7));
        assertThat(PixelMetrics.auproExact(maps, masks, SIDE, SIDE))
                .isCloseTo(
                        expected.get("exact AUPRO (all thresholds, trapezoid, cut and interpolated at FPR 0.3, "
                                        + "divided by 0.3)")
                                .asDouble(),
                        within(1e-9));
    }

    @Test
    void shouldGiveBothVariantsOfAdeval() {
        for (int strips : new int[] {50, 1000}) {
            for (boolean torch : new boolean[] {true, false}) {
                String name = "adeval " + (torch ? "torch" : "numpy") + " variant nstrips=" + strips;
                PixelMetrics.Binned b = PixelMetrics.binned(maps, masks, SIDE, SIDE, strips, torch);
                assertThat(b.auroc())
                        .as(name)
                        .isCloseTo(expected.get(name).get("p_auroc").asDouble(), within(1e-7));
                assertThat(b.averagePrecision())
                        .as(name)
                        .isCloseTo(expected.get(name).get("p_aupr").asDouble(), within(1e-7));
                assertThat(b.aupro())
                        .as(name)
                        .isCloseTo(expected.get(name).get("p_aupro").asDouble(), within(1e-7));
            }
        }
    }

    @Test
    void shouldFindTheReferencesRegions() {
        int regions = 0;
        for (byte[] mask : masks) regions += MaskRegions.of(mask, SIDE, SIDE).count;
        assertThat(regions).isEqualTo(expected.get("number of regions").asInt());
    }

    @Test
    void shouldGroupTies() {
        JsonNode e = expected.get("ties case");
        float[] s = new float[e.get("scores").size()];
        byte[] l = new byte[s.length];
        for (int i = 0; i < s.length; i++) {
            s[i] = (float) e.get("scores").get(i).asDouble();
            l[i] = (byte) e.get("labels").get(i).asInt();
        }
        assertThat(RankingMetrics.auroc(s, l)).isCloseTo(e.get("auroc").asDouble(), EXACT);
        assertThat(RankingMetrics.averagePrecision(s, l)).isCloseTo(e.get("ap").asDouble(), EXACT);
        assertThat(RankingMetrics.f1Max(s, l)).isCloseTo(e.get("f1max").asDouble(), EXACT);
    }
}

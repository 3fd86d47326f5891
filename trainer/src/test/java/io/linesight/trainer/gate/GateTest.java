package io.linesight.trainer.gate;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.schemas.GateOutcome;
import io.linesight.schemas.ProductMetrics;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class GateTest {
    private static final ProductCalibration HALF = new ProductCalibration(0.5, 0.1);
    private static final GateConfig CONFIG = GateConfig.defaults();

    /** Scores of which so many lie above the threshold of one half. */
    private static float[] scores(int n, int above) {
        float[] s = new float[n];
        for (int i = 0; i < n; i++) s[i] = i < above ? 0.6f + 0.001f * i : 0.2f + 0.001f * i;
        return s;
    }

    private static ProductScores known(
            String product,
            float[] championNormals,
            float[] challengerNormals,
            float[] championAnomalous,
            float[] challengerAnomalous) {
        return new ProductScores(
                product,
                true,
                true,
                HALF,
                HALF,
                championNormals,
                challengerNormals,
                championAnomalous,
                challengerAnomalous);
    }

    private static GateResult judge(ProductScores... products) {
        return Gate.judge(List.of(products), CONFIG, "v1");
    }

    @Test
    void shouldPassWhatIsNoWorse() {
        GateResult r = judge(known("bolt", scores(20, 6), scores(20, 1), scores(10, 8), scores(10, 9)));
        assertThat(r.verdict().getOutcome()).isEqualTo(GateOutcome.PASSED);
        assertThat(r.verdict().getReason())
                .contains("no worse than v1", "bolt", "false alarms 1 of 20", "were 6", "misses 1 of 10", "AUROC");
        assertThat(r.verdict().getAgainst()).isEqualTo("v1");
        assertThat(r.verdict().getMargin()).isEqualTo(0.03);
        ProductMetrics m = r.products().get(0);
        assertThat(m.getNormals()).isEqualTo(20);
        assertThat(m.getFalseAlarmRate()).isEqualTo(0.05);
        assertThat(m.getParentFalseAlarmRate()).isEqualTo(0.3);
        assertThat(m.getMissRate()).isCloseTo(0.1, org.assertj.core.api.Assertions.within(1e-9));
        assertThat(m.getParentMissRate()).isCloseTo(0.2, org.assertj.core.api.Assertions.within(1e-9));
        assertThat(m.getImageAuroc()).isGreaterThan(m.getParentImageAuroc());
        assertThat(m.getThreshold()).isEqualTo(0.5);
    }

    @Test
    void shouldFailMoreFalseAlarmsAndNameProductAndFigures() {
        GateResult r = judge(
                known("bolt", scores(40, 1), scores(40, 1), scores(10, 10), scores(10, 10)),
                known("nut", scores(40, 1), scores(40, 5), scores(0, 0), scores(0, 0)));
        assertThat(r.verdict().getOutcome()).isEqualTo(GateOutcome.FAILED);
        assertThat(r.verdict().getReason())
                .contains(
                        "worse than v1",
                        "nut: false alarms 5 of 40 normals, were 1 (2.5 % to 12.5 %, may rise by 3.0 %)")
                .doesNotContain("bolt");
    }

    /** After a change of the light the champion calls everything anomalous: it misses nothing, and is of no use. */
    @Test
    void shouldNotHoldAChampionThatRejectsNearlyEverythingForOneThatMissesNothing() {
        float[] alarmed = scores(20, 18);
        float[] defects = scores(10, 10);
        for (int i = 0; i < 10; i++) defects[i] = i < 6 ? 0.61f : 0.9f; // six of them lie among the good parts
        GateResult r = judge(known("bolt", alarmed, scores(20, 1), defects, scores(10, 8)));
        assertThat(r.verdict().getReason())
                .contains(
                        "false alarms 1 of 20 normals, were 18",
                        "misses (champion's at as few false alarms) 2 of 10 anomalous, were 6");
        assertThat(r.verdict().getOutcome()).isEqualTo(GateOutcome.PASSED);
        assertThat(r.products().get(0).getParentMissRate())
                .as("the record says what the champion did")
                .isZero();
        // One that could have had the same by a higher threshold alone has not earned it.
        GateResult worse = judge(known("bolt", alarmed, scores(20, 1), scores(10, 10), scores(10, 0)));
        assertThat(worse.verdict().getOutcome()).isEqualTo(GateOutcome.FAILED);
        // A champion with some false alarms is still the measure.
        GateResult usable = judge(known("bolt", scores(20, 6), scores(20, 1), defects, scores(10, 8)));
        assertThat(usable.verdict().getReason()).contains("misses 2 of 10 anomalous, were 0");
        assertThat(usable.verdict().getOutcome()).isEqualTo(GateOutcome.FAILED);
    }

    @Test
    void shouldFailMoreMissesAndAWorseRanking() {
        GateResult r = judge(known("bolt", scores(20, 0), scores(20, 0), scores(10, 10), scores(10, 6)));
        assertThat(r.verdict().getReason()).contains("misses 4 of 10 anomalous, were 0");
        assertThat(r.verdict().getOutcome()).isEqualTo(GateOutcome.FAILED);
        // The same thresholds hold, but what was told apart is not any more.
        float[] mixed = scores(10, 10);
        for (int i = 0; i < 10; i++) mixed[i] = 0.51f;
        float[] alarms = scores(20, 0);
        float[] close = scores(20, 0);
        alarms[0] = 0.505f;
        close[0] = 0.9f;
        close[1] = 0.4f;
        GateResult ranking = judge(known("bolt", alarms, close, scores(10, 10), mixed));
        assertThat(ranking.verdict().getOutcome()).isEqualTo(GateOutcome.FAILED);
        assertThat(ranking.verdict().getReason()).contains("bolt: AUROC 0.950, was 1.000");
    }

    @Test
    void shouldNotLetOneImageDecide() {
        assertThat(judge(known("bolt", scores(10, 0), scores(10, 1), scores(5, 5), scores(5, 5)))
                        .verdict()
                        .getOutcome())
                .isEqualTo(GateOutcome.PASSED);
        assertThat(judge(known("bolt", scores(10, 0), scores(10, 2), scores(5, 5), scores(5, 5)))
                        .verdict()
                        .getOutcome())
                .isEqualTo(GateOutcome.FAILED);
    }

    @Test
    void shouldSayWhatItDidNotJudge() {
        GateResult some = judge(
                known("bolt", scores(20, 0), scores(20, 0), scores(4, 4), scores(4, 0)),
                known("nut", scores(3, 0), scores(3, 3), scores(0, 0), scores(0, 0)));
        assertThat(some.verdict().getOutcome()).isEqualTo(GateOutcome.PASSED);
        assertThat(some.verdict().getReason())
                .contains(
                        "Not judged",
                        "bolt: misses (4 held-out anomalous images, 5 needed)",
                        "nut: false alarms (3 held-out normals, 10 needed)");
        GateResult none = judge(known("nut", scores(3, 0), scores(3, 3), scores(0, 0), scores(0, 0)));
        assertThat(none.verdict().getOutcome()).as("no permission").isEqualTo(GateOutcome.NOT_JUDGED);
        assertThat(none.products().get(0).getMissRate()).isNull();
        assertThat(none.products().get(0).getImageAuroc()).isNull();
    }

    @Test
    void shouldJudgeNewProductsByTheirFalseAlarmsAlone() {
        ProductScores good = new ProductScores(
                "cap", false, true, HALF, HALF, scores(30, 30), scores(30, 2), scores(10, 10), scores(10, 0));
        assertThat(judge(good).verdict().getOutcome()).isEqualTo(GateOutcome.PASSED);
        ProductScores bad = new ProductScores(
                "cap", false, true, HALF, HALF, scores(30, 30), scores(30, 6), scores(10, 10), scores(10, 10));
        assertThat(judge(bad).verdict().getReason()).contains("cap: new, 6 false alarms on 30 normals, allowed 10.0 %");
    }

    @Test
    void shouldNotJudgeProductsThatNeitherModelWasTrainedOn() {
        ProductScores stranger = new ProductScores(
                "cap", false, false, HALF, HALF, scores(30, 30), scores(30, 30), scores(0, 0), scores(0, 0));
        GateResult r = judge(stranger, known("nut", scores(20, 0), scores(20, 0), scores(0, 0), scores(0, 0)));
        assertThat(r.verdict().getOutcome()).isEqualTo(GateOutcome.PASSED);
        assertThat(r.verdict().getReason()).contains("cap: neither model was trained on it");
    }

    @Test
    void shouldFailWhatWouldBeForgottenUnlessRetired() {
        ProductScores lost = new ProductScores(
                "bolt", true, false, HALF, HALF, scores(20, 0), scores(20, 0), scores(0, 0), scores(0, 0));
        ProductScores fine = known("nut", scores(20, 0), scores(20, 0), scores(0, 0), scores(0, 0));
        GateResult r = judge(lost, fine);
        assertThat(r.verdict().getOutcome()).isEqualTo(GateOutcome.FAILED);
        assertThat(r.verdict().getReason()).contains("bolt", "forgotten");
        GateConfig retired = new GateConfig(0.03, 10, 5, 0.1, Set.of("bolt"));
        assertThat(Gate.judge(List.of(lost, fine), retired, "v1").verdict().getOutcome())
                .isEqualTo(GateOutcome.PASSED);
    }

    @Test
    void shouldFailScoresThatAreNotNumbers() {
        float[] broken = scores(20, 0);
        broken[7] = Float.NaN;
        GateResult r = judge(known("bolt", scores(20, 0), broken, scores(10, 10), scores(10, 10)));
        assertThat(r.verdict().getOutcome()).isEqualTo(GateOutcome.FAILED);
        assertThat(r.verdict().getReason()).contains("bolt: the challenger gives a score that is not a number");
        assertThat(r.products().get(0).getImageAuroc()).isNull();
    }

    @Test
    void shouldNameEveryProblemOfItsConfiguration() {
        org.assertj.core.api.Assertions.assertThatThrownBy(() -> new GateConfig(-1, 0, 0, 2, Set.of()))
                .hasMessageContaining("margin")
                .hasMessageContaining("minNormals")
                .hasMessageContaining("minAnomalous")
                .hasMessageContaining("maxFalseAlarms");
    }
}

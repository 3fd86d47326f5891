package io.linesight.streams.decision;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.linesight.mmad.checkpoint.Calibration;
import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.mmad.checkpoint.ReviewBand;
import io.linesight.mmad.checkpoint.ScoreQuantiles;
import io.linesight.mmad.checkpoint.VerdictRule;
import io.linesight.models.settings.SettingsEntry;
import io.linesight.models.settings.SettingsState;
import io.linesight.schemas.ProductSettings;
import io.linesight.schemas.ThresholdKeep;
import io.linesight.schemas.ThresholdSetting;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class LiveRulesTest {
    private static final SettingsState NOTHING = new SettingsState("default", 0, Map.of());

    private final CheckpointInfo first = model("v1", 2, rate -> 1 - Math.log(rate) / 4);
    private final CheckpointInfo second = model("v2", 20, rate -> 10 - Math.log(rate));
    private final CheckpointInfo silent = new CheckpointInfo(
            "v3",
            "",
            new Calibration(new ProductCalibration(7, 1), Map.of("flange", new ProductCalibration(5, 0.5))),
            Map.of());
    private final AtomicReference<SettingsState> state = new AtomicReference<>(NOTHING);
    private final LiveRules rules = new LiveRules(new VerdictRule(null, 0.9), state::get);

    @Test
    void shouldLeaveTheDecisionToTheCheckpointWhereNobodySetAnything() {
        VerdictRule.Decision d = rules.of(first, "flange").decide(first, "flange", 2, true);
        assertThat(d.score()).isEqualTo(0.5);
        assertThat(rules.of(first, "flange").revision()).isZero();
        assertThat(rules.of(first, "flange").band()).isEqualTo(new VerdictRule(null, 0.9));
    }

    @Test
    void shouldMoveTheThresholdOfTheModelThatItWasSetFor() {
        set(3, settings().setThreshold(threshold(1.7, ThresholdKeep.FALSE_REJECT_RATE, 0.06)));
        DecisionRule rule = rules.of(first, "flange");
        assertThat(rule.threshold()).isEqualTo(1.7);
        assertThat(rule.revision()).isEqualTo(3);
        VerdictRule.Decision d = rule.decide(first, "flange", 1.7, true);
        assertThat(d.anomalous()).isTrue();
        assertThat(d.score()).isEqualTo(0.5);
        assertThat(d.calibration().scale()).isEqualTo(0.1);
        assertThat(d.applied()).isEqualTo("flange");
        assertThat(rules.of(first, "other").threshold()).isNull();
        assertThat(rules.of(first, null).threshold()).isNull();
    }

    @Test
    void shouldKeepTheShareOfGoodPartsOverASwap() {
        set(1, settings().setThreshold(threshold(1.7, ThresholdKeep.FALSE_REJECT_RATE, 0.001)));
        assertThat(rules.of(second, "flange").threshold()).isCloseTo(10 + Math.log(1000), within(1e-6));
        assertThat(rules.of(first, "flange").threshold()).isEqualTo(1.7);
        assertThat(rules.notCarried()).isZero();
    }

    @Test
    void shouldKeepTheRawValueWherePeopleWantIt() {
        set(1, settings().setThreshold(threshold(1.7, ThresholdKeep.RAW_VALUE, null)));
        assertThat(rules.of(second, "flange").threshold()).isEqualTo(1.7);
        assertThat(rules.of(silent, "flange").threshold()).isEqualTo(1.7);
    }

    @Test
    void shouldTakeTheModelsOwnThresholdWhereNothingElseIsKnown() {
        set(1, settings().setThreshold(threshold(1.7, ThresholdKeep.FALSE_REJECT_RATE, 0.001)));
        DecisionRule rule = rules.of(silent, "flange");
        assertThat(rule.threshold()).isNull();
        assertThat(rule.decide(silent, "flange", 5, true).score()).isEqualTo(0.5);
        assertThat(rules.notCarried()).isEqualTo(1);

        state.set(NOTHING);
        rules.of(silent, "flange");
        assertThat(rules.notCarried()).isZero();
    }

    @Test
    void shouldPreferPeoplesBandToTheConfigurationsAndThatToTheCheckpoints() {
        set(1, settings().setReviewLow(0.1));
        VerdictRule band = rules.of(first, "flange").band();
        assertThat(band).isEqualTo(new VerdictRule(0.1, 0.9));
        set(2, settings().setReviewLow(0.1).setReviewHigh(0.6));
        assertThat(rules.of(first, "flange").band()).isEqualTo(new VerdictRule(0.1, 0.6));
    }

    @Test
    void shouldJudgeAFrameThatIsNotFiniteAsEver() {
        set(1, settings().setThreshold(threshold(1.7, ThresholdKeep.RAW_VALUE, null)));
        VerdictRule.Decision d = rules.of(first, "flange").decide(first, "flange", Double.NaN, true);
        assertThat(d.verdict()).isEqualTo(VerdictRule.Verdict.REVIEW);
        assertThat(d.score()).isNaN();
    }

    private void set(long end, ProductSettings.Builder s) {
        SettingsEntry entry = new SettingsEntry(end - 1, Optional.of(s.build()), true, "");
        state.set(new SettingsState("default", end, Map.of("flange", List.of(entry))));
    }

    private static ThresholdSetting threshold(double raw, ThresholdKeep keep, Double rate) {
        return new ThresholdSetting(raw, keep, rate, "v1");
    }

    private static ProductSettings.Builder settings() {
        return ProductSettings.newBuilder()
                .setChannel("default")
                .setProduct("flange")
                .setRevision(1)
                .setBasedOn(0)
                .setBy("ann")
                .setAt(Instant.EPOCH);
    }

    private static CheckpointInfo model(
            String version, double threshold, java.util.function.DoubleUnaryOperator quantiles) {
        ProductCalibration flange =
                new ProductCalibration(threshold, 0.1, new ReviewBand(0.3, 0.8), null, ScoreQuantiles.of(quantiles));
        return new CheckpointInfo(
                version, "", new Calibration(new ProductCalibration(50, 1), Map.of("flange", flange)), Map.of());
    }
}

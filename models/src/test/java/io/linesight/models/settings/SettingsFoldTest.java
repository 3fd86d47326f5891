package io.linesight.models.settings;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.schemas.AlertPolicySetting;
import io.linesight.schemas.ProductSettings;
import io.linesight.schemas.ThresholdKeep;
import io.linesight.schemas.ThresholdSetting;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class SettingsFoldTest {
    private final SettingsFold fold = new SettingsFold("default");
    private long offset;

    @Test
    void shouldApplyTheNewestThatCounts() {
        read(settings("flange", 1).setReviewLow(0.3).build());
        read(settings("flange", 2).setReviewLow(0.2).build());
        assertThat(state().of("flange").orElseThrow().getReviewLow()).isEqualTo(0.2);
        assertThat(state().of("other")).isEmpty();
        assertThat(state().end()).isEqualTo(2);
    }

    @Test
    void shouldLetTheFirstOfTwoWin() {
        read(settings("flange", 1).setReviewLow(0.3).build());
        read(settings("flange", 1).setReviewLow(0.1).setBy("bob").build());
        assertThat(state().of("flange").orElseThrow().getReviewLow()).isEqualTo(0.3);
        SettingsEntry second = state().history("flange").get(1);
        assertThat(second.counted()).isFalse();
        assertThat(second.problem()).contains("somebody else was faster");
        assertThat(state().problem("flange")).isEmpty();
    }

    @Test
    void shouldKeepTheLastGoodOneWhereTheNewestCannotBeCarriedOut() {
        read(settings("flange", 1).setReviewLow(0.3).build());
        read(settings("flange", 2).setReviewLow(Double.NaN).build());
        assertThat(state().of("flange").orElseThrow().getReviewLow()).isEqualTo(0.3);
        assertThat(state().revision("flange")).isEqualTo(2);
        assertThat(state().problem("flange").orElseThrow()).contains("lower limit is NaN");

        read(settings("flange", 3).setReviewLow(0.25).build());
        assertThat(state().of("flange").orElseThrow().getReviewLow()).isEqualTo(0.25);
        assertThat(state().problem("flange")).isEmpty();
    }

    @Test
    void shouldKeepTheLastGoodOneWhereTheNewestCannotBeRead() {
        read(settings("flange", 1).setReviewLow(0.3).build());
        fold.read(offset++, "default/flange", null, "it is torn");
        assertThat(state().of("flange").orElseThrow().getReviewLow()).isEqualTo(0.3);
        assertThat(state().problem("flange").orElseThrow()).contains("it is torn");

        // Whoever could read it may have gone on from it, or not.
        read(settings("flange", 3).setReviewLow(0.25).build());
        assertThat(state().of("flange").orElseThrow().getReviewLow()).isEqualTo(0.25);
        read(settings("flange", 5).setReviewLow(0.2).build());
        assertThat(state().of("flange").orElseThrow().getReviewLow()).isEqualTo(0.25);
    }

    @Test
    void shouldLeaveOutWhatIsWrittenUnderAnotherKeyOrChannel() {
        fold.read(offset++, "default/flange", settings("bolt", 1).build(), "");
        fold.read(offset++, "other/flange", settings("flange", 1).build(), "");
        fold.read(offset++, null, settings("flange", 1).build(), "");
        assertThat(state().of("flange")).isEmpty();
        assertThat(state().of("bolt")).isEmpty();
        assertThat(state().products()).containsExactly("flange");
        assertThat(state().end()).isEqualTo(3);
    }

    @Test
    void shouldFillWhatAProductLeavesOpenFromThoseForAllButNoThreshold() {
        AlertPolicySetting own = policy("cam-1");
        AlertPolicySetting all = policy("*");
        read(settings("*", 1)
                .setReviewLow(0.3)
                .setReviewHigh(0.7)
                .setAlerts(List.of(all))
                .build());
        read(settings("flange", 1)
                .setReviewLow(0.2)
                .setThreshold(threshold(3))
                .setAlerts(List.of(own))
                .build());
        ProductSettings flange = state().of("flange").orElseThrow();
        assertThat(flange.getReviewLow()).isEqualTo(0.2);
        assertThat(flange.getReviewHigh()).isEqualTo(0.7);
        assertThat(flange.getAlerts()).containsExactly(own, all);
        assertThat(flange.getThreshold().getRaw()).isEqualTo(3);
        assertThat(state().of(null).orElseThrow().getReviewHigh()).isEqualTo(0.7);
        assertThat(state().of("bolt").orElseThrow().getThreshold()).isNull();

        read(settings("*", 2).setThreshold(threshold(3)).build());
        assertThat(state().problem("*").orElseThrow()).contains("a threshold belongs to one product");
    }

    @Test
    void shouldReadARecordOnce() {
        ProductSettings s = settings("flange", 1).build();
        fold.read(7, "default/flange", s, "");
        fold.read(7, "default/flange", s, "");
        assertThat(state().history("flange")).hasSize(1);
        assertThat(state().end()).isEqualTo(8);
    }

    @Test
    void shouldNameEverythingThatIsWrong() {
        AlertPolicySetting policy = policy("*");
        policy.setOpenCount(5);
        policy.setOpenWindow(3);
        policy.setClearCount(-1);
        ProductSettings s = settings("flange", 1)
                .setThreshold(new ThresholdSetting(Double.NaN, ThresholdKeep.FALSE_REJECT_RATE, 1.5, ""))
                .setReviewHigh(1.2)
                .setAlerts(List.of(policy))
                .build();
        assertThat(String.join("\n", SettingsRules.problems(s)))
                .contains(
                        "the threshold is NaN",
                        "which model",
                        "false-reject rate is 1.5",
                        "upper limit is 1.2",
                        "open after 5 anomalous frames of 3",
                        "clear count is -1");
        s.getThreshold().setKeep(ThresholdKeep.UNKNOWN);
        assertThat(String.join("\n", SettingsRules.problems(s))).contains("not known to this program");
    }

    private SettingsState state() {
        return fold.snapshot();
    }

    private void read(ProductSettings s) {
        fold.read(offset++, s.getChannel() + "/" + s.getProduct(), s, "");
    }

    private static ThresholdSetting threshold(double raw) {
        return new ThresholdSetting(raw, ThresholdKeep.RAW_VALUE, null, "v1");
    }

    private static AlertPolicySetting policy(String cameras) {
        return AlertPolicySetting.newBuilder().setCameras(cameras).build();
    }

    private static ProductSettings.Builder settings(String product, long revision) {
        return ProductSettings.newBuilder()
                .setChannel("default")
                .setProduct(product)
                .setRevision(revision)
                .setBasedOn(revision - 1)
                .setBy("ann")
                .setAt(Instant.EPOCH);
    }
}

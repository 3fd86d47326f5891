package io.linesight.streams.alert;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.schemas.Alert;
import io.linesight.schemas.AlertActionKind;
import io.linesight.schemas.AlertChange;
import io.linesight.schemas.AlertKind;
import io.linesight.schemas.AlertState;
import io.linesight.schemas.FrameQuality;
import io.linesight.schemas.InspectionResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Windows of 10 s, 20 frames of the only product; a first day of a minute; two windows open and two clear. */
class DriftRulesTest {
    private static final String[] SMALL = {
        "drift.window.ms", "10000",
        "drift.window.frames", "10",
        "drift.baseline.ms", "60000",
        "drift.baseline.frames", "50",
        "drift.open.windows", "2",
        "drift.clear.windows", "2",
        "silent.ms", "0"
    };

    private Play play = play();
    private long pixels;

    private static Play play(String... more) {
        return new Play(Stream.concat(Arrays.stream(SMALL), Arrays.stream(more)).toArray(String[]::new));
    }

    private InspectionResult.Builder frame(String product, double score, double brightness) {
        float light = (float) brightness + (pixels % 5 - 2) * 0.01f;
        return play.result(product, score)
                .setRawScore((float) (10 * score + pixels % 7 * 0.1))
                .setQuality(new FrameQuality(light, 0.2f, 0.05f, 0f, 0f, ++pixels));
    }

    private List<Alert> frames(int count, String product, double score, double brightness) {
        List<Alert> out = new ArrayList<>();
        for (int i = 0; i < count; i++)
            out.addAll(play.frame(frame(product, score, brightness).build()));
        return out;
    }

    /** With an alert about the brightness of bolts. */
    private Alert drifted() {
        frames(150, "bolt", 0.1, 0.5);
        assertThat(play.all).isEmpty();
        frames(60, "bolt", 0.1, 0.35);
        assertThat(play.all).extracting(Alert::getKind).containsExactly(AlertKind.DRIFT);
        return play.last();
    }

    @Test
    void shouldOpenOneAlertThatSaysWhatMovedAndShowsBothDistributions() {
        Alert a = drifted();
        assertThat(a.getAlertId()).isEqualTo("DRIFT-SHIFTED-" + a.getFirst().getResultId());
        assertThat(a.getState()).isEqualTo(AlertState.ACTIVE_UNACKNOWLEDGED);
        assertThat(a.getProduct()).isEqualTo("bolt");
        assertThat(a.getMessage())
                .startsWith("Camera cam-1: frames of bolt are no longer as they were: brightness (median 0.35, on the "
                        + "first day 0.");
        assertThat(a.getDetails())
                .containsEntry("moved", "brightness")
                .containsEntry("window.frames", "20")
                .containsEntry("brightness.windows", "2")
                .containsEntry("contrast.effect", "0")
                .containsKeys("brightness.effect", "score.effect", "score.before", "contrast.now", "sharpness.before");
        assertThat(a.getDetails().get("brightness.now").split(" ")).hasSize(5);
        frames(400, "bolt", 0.1, 0.35);
        assertThat(play.all).as("one alert for as long as it lasts").hasSize(1);
        play.after(Duration.ofSeconds(5));
        assertThat(play.last()).returns(AlertChange.COUNTED, Alert::getChange).returns(440L, Alert::getAnomalousFrames);
    }

    @Test
    void shouldClearWhenWindowsAreBackAndComeBackAsTheSameAlert() {
        Alert a = drifted();
        frames(60, "bolt", 0.1, 0.5);
        assertThat(play.last())
                .returns(AlertChange.CLEARED, Alert::getChange)
                .returns("Camera cam-1: frames of bolt are as they were before.", Alert::getMessage);
        frames(60, "bolt", 0.1, 0.35);
        assertThat(play.last())
                .returns(AlertChange.REOPENED, Alert::getChange)
                .returns(a.getAlertId(), Alert::getAlertId);
    }

    @Test
    void shouldOpenNoDriftForDefects() {
        frames(150, "bolt", 0.1, 0.5);
        for (int i = 0; i < 300; i++)
            play.frame(frame("bolt", i % 5 == 0 ? 0.9 : 0.1, 0.5).build());
        assertThat(play.all).isEmpty();
        for (int i = 0; i < 10; i++) frames(5, "bolt", 0.9, 0.5);
        assertThat(play.all).extracting(Alert::getKind).contains(AlertKind.DEFECT);
    }

    @Test
    void shouldSilenceNoDefectsUnlessTheSettingsSaySo() {
        drifted();
        frames(3, "bolt", 0.7, 0.35);
        assertThat(play.last())
                .returns(AlertKind.DEFECT, Alert::getKind)
                .returns(AlertState.ACTIVE_UNACKNOWLEDGED, Alert::getState);

        play = play("drift.suppress", "true");
        Alert drift = drifted();
        frames(3, "bolt", 0.7, 0.35);
        assertThat(play.last())
                .returns(AlertState.SUPPRESSED, Alert::getState)
                .returns(drift.getAlertId(), Alert::getSuppressedBy);
        frames(3, "flange", 0.7, 0.35);
        assertThat(play.last())
                .as("the drift of another product")
                .returns("flange", Alert::getProduct)
                .returns(AlertState.ACTIVE_UNACKNOWLEDGED, Alert::getState);
    }

    @Test
    void shouldTakeWhatAPersonClosedForTheUsualFromNowOn() {
        Alert a = drifted();
        play.act(AlertActionKind.CLOSE, a.getAlertId());
        play.all.clear();
        frames(400, "bolt", 0.1, 0.35);
        assertThat(play.all).isEmpty();
        frames(60, "bolt", 0.1, 0.5);
        assertThat(play.last()).returns(AlertChange.OPENED, Alert::getChange);
    }

    @Test
    void shouldEndADriftOfScoresWithTheirModel() {
        frames(150, "bolt", 0.1, 0.5);
        frames(60, "bolt", 0.4, 0.5);
        assertThat(play.last()).returns("score", a -> a.getDetails().get("moved"));
        play.frame(frame("bolt", 0.4, 0.5).setModelVersion("m2").build());
        assertThat(play.last()).returns(AlertChange.CLEARED, Alert::getChange).returns("m2", Alert::getModelVersion);
    }

    @Test
    void shouldNotCountImagesOfMaintenanceOrWithoutLight() {
        frames(150, "bolt", 0.1, 0.5);
        play.act(play.action(AlertActionKind.START_MAINTENANCE, null)
                .setUntil(play.now.plusSeconds(600))
                .build());
        frames(200, "bolt", 0.1, 0.2);
        play.act(play.action(AlertActionKind.END_MAINTENANCE, null).build());
        for (int i = 0; i < 200; i++)
            play.frame(frame("bolt", 0.1, 0)
                    .setQuality(new FrameQuality(0f, 0f, 0f, 1f, 0f, ++pixels))
                    .build());
        frames(60, "bolt", 0.1, 0.5);
        assertThat(play.all).extracting(Alert::getKind).doesNotContain(AlertKind.DRIFT);
    }

    @Test
    void shouldForgetDistributionsWithTheirProductAndCamera() {
        drifted();
        frames(10, "flange", 0.1, 0.5);
        assertThat(play.drift.size())
                .as("a window and a memory of bolt, a window of flange")
                .isEqualTo(3);
        play.now = play.now.plus(Duration.ofDays(6));
        frames(5, "flange", 0.1, 0.5);
        play.after(Duration.ofDays(1).plusHours(1));
        assertThat(play.last())
                .returns(AlertState.CLOSED, Alert::getState)
                .returns("the camera has sent no frame of the product for 604800 s", Alert::getReason);
        assertThat(play.drift.size()).isLessThanOrEqualTo(2);
        play.after(Duration.ofDays(7));
        assertThat(play.forgotten).isTrue();
        assertThat(play.drift.size()).isZero();
    }

    @Test
    void shouldStayBoundedWithProductsThatChangeEveryFrame() {
        for (int i = 0; i < 2_000; i++) frames(1, "part-" + i, 0.1, 0.5);
        assertThat(play.drift.size()).as("of 32 products").isLessThanOrEqualTo(64);
        assertThat(play.all).isEmpty();
        play.now = play.now.plus(Duration.ofHours(2));
        for (int i = 0; i < 2_000; i++) frames(1, "other-" + i, 0.1, 0.5);
        assertThat(play.drift.size()).isLessThanOrEqualTo(64);
    }
}

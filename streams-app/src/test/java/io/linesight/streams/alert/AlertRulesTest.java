package io.linesight.streams.alert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.linesight.schemas.Alert;
import io.linesight.schemas.AlertAction;
import io.linesight.schemas.AlertActionKind;
import io.linesight.schemas.AlertChange;
import io.linesight.schemas.AlertKind;
import io.linesight.schemas.AlertSeverity;
import io.linesight.schemas.AlertState;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.Region;
import io.linesight.schemas.Verdict;
import io.linesight.streams.drift.NormalScores;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class AlertRulesTest {

    private static List<AlertChange> changes(List<Alert> alerts) {
        return alerts.stream().map(Alert::getChange).toList();
    }

    /** With an alert that three anomalous frames have opened. */
    private static Play opened(String... settings) {
        Play play = new Play(settings);
        play.frames(3, 0.7);
        assertThat(changes(play.all)).containsExactly(AlertChange.OPENED);
        return play;
    }

    private static String id(Play play) {
        return play.all.get(0).getAlertId();
    }

    @Test
    void shouldOpenOneAlertForABurst() {
        Play play = new Play();
        play.frame("bolt", 0.1);
        play.frame("bolt", 0.6);
        play.frame("bolt", 0.1);
        play.frame(play.result("bolt", 0.8).setAttributes(Map.of("lot", "7")).build());
        assertThat(play.all).isEmpty();

        play.frame("bolt", 0.7);
        for (int i = 0; i < 1_000; i++) play.frame("bolt", 0.6);

        assertThat(play.all).singleElement().satisfies(a -> {
            assertThat(a.getAlertId()).isEqualTo("DEFECT-ANOMALOUS-frames-0-4");
            assertThat(a.getState()).isEqualTo(AlertState.ACTIVE_UNACKNOWLEDGED);
            assertThat(a.getProduct()).isEqualTo("bolt");
            assertThat(a.getAnomalousFrames()).isEqualTo(3);
            assertThat(a.getFrames()).as("since the first anomalous one").isEqualTo(4);
            assertThat(a.getFirst().getResultId()).isEqualTo("frames-0-1");
            assertThat(a.getWorst().getResultId()).isEqualTo("frames-0-3");
            assertThat(a.getLast().getResultId()).isEqualTo("frames-0-4");
            assertThat(a.getMessage())
                    .isEqualTo("Camera cam-1: 3 of 4 frames of bolt were anomalous; the highest score is 0.80.");
        });
        assertThat(play.after(Duration.ofSeconds(5))).singleElement().satisfies(a -> {
            assertThat(a.getChange()).isEqualTo(AlertChange.COUNTED);
            assertThat(a.getAnomalousFrames()).isEqualTo(1_003);
            assertThat(a.getStateRevision())
                    .as("nobody's view of it is out of date")
                    .isEqualTo(1);
        });
    }

    @Test
    void shouldNotOpenForFramesThatAreTooFarApart() {
        Play play = new Play();
        for (int i = 0; i < 20; i++) {
            play.frame(0.9);
            play.frames(2, 0.1);
        }
        assertThat(play.all).isEmpty();
    }

    @Test
    void shouldOpenWithASingleFrameWhereThePolicySaysSo() {
        Play play = new Play("open.count", "1", "open.window", "1");
        assertThat(play.frame(0.5)).hasSize(1);
    }

    @Test
    void shouldClearAfterGoodFramesInARowOnly() {
        Play play = opened();
        play.frames(9, 0.1);
        play.frame(0.45); // below the decision point, and not good
        play.frames(9, 0.1);
        assertThat(play.all).hasSize(1);

        assertThat(play.frame(0.1)).singleElement().satisfies(a -> {
            assertThat(a.getChange()).isEqualTo(AlertChange.CLEARED);
            assertThat(a.getState()).isEqualTo(AlertState.CLEARED_UNACKNOWLEDGED);
            assertThat(a.getClearedAt()).isEqualTo(a.getAt());
        });
    }

    @Test
    void shouldLeaveTheListWhenClearedAndAcknowledgedInEitherOrder() {
        Play play = opened();
        play.act(AlertActionKind.ACKNOWLEDGE, id(play));
        assertThat(play.last().getState()).isEqualTo(AlertState.ACTIVE_ACKNOWLEDGED);
        play.frames(10, 0.1);
        assertThat(play.last())
                .returns(AlertChange.CLEARED, Alert::getChange)
                .returns(AlertState.CLOSED, Alert::getState);

        Play other = opened();
        other.frames(10, 0.1);
        other.act(AlertActionKind.ACKNOWLEDGE, id(other));
        assertThat(other.last())
                .returns(AlertChange.ACKNOWLEDGED, Alert::getChange)
                .returns(AlertState.CLOSED, Alert::getState)
                .returns("eva", Alert::getAcknowledgedBy);
        other.frames(3, 0.7);
        assertThat(other.last())
                .returns(AlertChange.OPENED, Alert::getChange)
                .returns("DEFECT-ANOMALOUS-frames-0-15", Alert::getAlertId);
    }

    @Test
    void shouldReopenTheSameAlertWhileNobodyHasAcknowledgedIt() {
        Play play = opened();
        play.frames(10, 0.1);
        play.frames(3, 0.7);
        assertThat(play.last())
                .returns(AlertChange.REOPENED, Alert::getChange)
                .returns(id(play), Alert::getAlertId)
                .returns(6L, Alert::getAnomalousFrames)
                .returns(16L, Alert::getFrames)
                .returns(null, Alert::getClearedAt);
    }

    @Test
    void shouldKeepProductsApart() {
        Play play = new Play();
        for (int i = 0; i < 3; i++) {
            play.frame("bolt", 0.7);
            play.frame("nut", 0.1);
        }
        assertThat(play.all).extracting(Alert::getProduct).containsExactly("bolt");
        for (int i = 0; i < 20; i++) play.frame("nut", 0.1);
        assertThat(play.all).as("good frames of another product clear nothing").hasSize(1);
    }

    @Test
    void shouldBoundProductsAndMissNoDefectOfThoseBeyond() {
        Play play = new Play("products.max", "4");
        for (int i = 0; i < 4; i++) play.frame("p" + i, 0.1);
        for (int i = 0; i < 3; i++) play.frame("other" + i, 0.9);
        assertThat(play.all).singleElement().returns("*", Alert::getProduct);
        for (int i = 0; i < 5_000; i++) play.frame("x" + i, 0.1);
        assertThat(play.state.length).isLessThan(10_000);
        assertThat(play.last().getState()).isEqualTo(AlertState.CLEARED_UNACKNOWLEDGED);
    }

    @Test
    void shouldTakeASeverityFromScoreAndRegion() {
        Play play = opened("high.area", "500");
        assertThat(play.last().getSeverity()).isEqualTo(AlertSeverity.MEDIUM);
        play.act(AlertActionKind.ACKNOWLEDGE, id(play));

        Region large = new Region(0, 0, 50, 20, 600L, 9f, 3, 3);
        play.frame(play.result(null, 0.6).setRegions(List.of(large)).build());
        assertThat(play.last())
                .as("what was acknowledged was less")
                .returns(AlertChange.ESCALATED, Alert::getChange)
                .returns(AlertSeverity.HIGH, Alert::getSeverity)
                .returns(AlertState.ACTIVE_UNACKNOWLEDGED, Alert::getState);
        play.frame(0.95);
        assertThat(play.all).as("it is HIGH already").hasSize(3);
    }

    @Test
    void shouldStayActiveUntilAcknowledgedWhereLatched() {
        Play play = opened("latched", "true");
        play.frames(50, 0.1);
        assertThat(play.all).hasSize(1);
        play.act(AlertActionKind.ACKNOWLEDGE, id(play));
        play.frame(0.1);
        assertThat(play.last())
                .returns(AlertChange.CLEARED, Alert::getChange)
                .returns(AlertState.CLOSED, Alert::getState);
    }

    @Test
    void shouldIgnoreFramesWithoutAScore() {
        Play play = new Play();
        for (int i = 0; i < 20; i++) {
            play.frame(play.result(null, 0.9)
                    .setScore(Float.NaN)
                    .setVerdict(Verdict.REVIEW)
                    .build());
            play.frame(play.result(null, 0.9).setVerdict(Verdict.SKIPPED).build());
        }
        assertThat(play.all).isEmpty();
    }

    @Test
    void shouldNotCountAResultTwice() {
        Play play = new Play();
        InspectionResult first = play.result(null, 0.9).build();
        InspectionResult second = play.result(null, 0.9).build();
        play.frame(first);
        play.frame(second);
        for (int i = 0; i < 5; i++) {
            play.frame(first);
            assertThat(play.known).isFalse();
            play.frame(second);
        }
        assertThat(play.all).isEmpty();
        play.frame(0.9);
        assertThat(play.all).hasSize(1);
    }

    @Test
    void shouldGoOnWhereTheTopicOfFramesWasMadeAgain() {
        Play play = new Play();
        for (int i = 0; i < 50; i++) play.frame(0.1);
        for (int i = 0; i < 3; i++)
            play.frame(Play.result(Play.CAMERA, null, i, 0.9f, play.now.plusSeconds(1 + i))
                    .build());
        assertThat(play.all).hasSize(1);
    }

    @Test
    void shouldRemindWhileNobodyAcknowledges() {
        Play play = opened();
        assertThat(play.after(Duration.ofMinutes(14))).isEmpty();
        assertThat(changes(play.after(Duration.ofMinutes(2)))).containsExactly(AlertChange.RENOTIFIED);
        assertThat(changes(play.after(Duration.ofMinutes(16)))).containsExactly(AlertChange.RENOTIFIED);
        play.act(AlertActionKind.ACKNOWLEDGE, id(play));
        assertThat(play.after(Duration.ofHours(5))).isEmpty();
    }

    @Test
    void shouldShelveUntilAndNeverWithoutAnEnd() {
        Play play = opened();
        play.act(AlertActionKind.SHELVE, id(play));
        assertThat(play.last())
                .returns(AlertChange.REFUSED, Alert::getChange)
                .returns("it has no end", Alert::getReason)
                .returns(AlertState.ACTIVE_UNACKNOWLEDGED, Alert::getState);
        play.act(play.action(AlertActionKind.SHELVE, id(play))
                .setUntil(play.now.minusSeconds(1))
                .build());
        assertThat(play.last().getReason()).endsWith("has passed");
        play.act(play.action(AlertActionKind.SHELVE, id(play))
                .setUntil(play.now.plus(Duration.ofDays(2)))
                .build());
        assertThat(play.last().getReason()).contains("linesight.alerts.shelve.max.ms");

        play.act(play.action(AlertActionKind.SHELVE, id(play))
                .setUntil(play.now.plus(Duration.ofHours(1)))
                .setNote("lamp is being changed")
                .build());
        assertThat(play.last()).returns(AlertState.SHELVED, Alert::getState).returns("eva", Alert::getBy);
        assertThat(play.last().getNotes()).extracting("text").containsExactly("lamp is being changed");
        assertThat(play.after(Duration.ofMinutes(50)))
                .as("no reminders meanwhile")
                .isEmpty();
        assertThat(play.after(Duration.ofMinutes(10))).singleElement().satisfies(a -> {
            assertThat(a.getChange()).isEqualTo(AlertChange.UNSHELVED);
            assertThat(a.getState()).isEqualTo(AlertState.ACTIVE_UNACKNOWLEDGED);
            assertThat(a.getReason()).isEqualTo("the time for it is over");
        });
    }

    @Test
    void shouldStayShelvedWhenTheConditionComesBack() {
        Play play = opened();
        play.act(AlertActionKind.ACKNOWLEDGE, id(play));
        play.act(play.action(AlertActionKind.SHELVE, id(play))
                .setUntil(play.now.plusSeconds(600))
                .build());
        play.frames(10, 0.1);
        assertThat(play.last())
                .returns(AlertChange.CLEARED, Alert::getChange)
                .returns(AlertState.SHELVED, Alert::getState);
        play.frames(3, 0.7);
        assertThat(play.last())
                .returns(AlertChange.REOPENED, Alert::getChange)
                .returns(AlertState.SHELVED, Alert::getState);
        play.act(AlertActionKind.ACKNOWLEDGE, id(play));
        play.frames(10, 0.1);
        play.act(AlertActionKind.UNSHELVE, id(play));
        assertThat(play.last().getState()).isEqualTo(AlertState.CLOSED);
    }

    @Test
    void shouldRefuseWhatIsBasedOnAnOlderState() {
        Play play = opened();
        play.frames(10, 0.1); // revision 2: cleared
        AlertAction late = play.action(AlertActionKind.ACKNOWLEDGE, id(play))
                .setBasedOn(1L)
                .build();
        play.act(late);
        assertThat(play.last())
                .returns(AlertChange.REFUSED, Alert::getChange)
                .returns(late.getActionId(), Alert::getActionId)
                .returns("the alert has changed since revision 1: CLEARED (revision 2)", Alert::getReason)
                .returns(AlertState.CLEARED_UNACKNOWLEDGED, Alert::getState);
        play.act(play.action(AlertActionKind.ACKNOWLEDGE, id(play))
                .setBasedOn(99L)
                .build());
        assertThat(play.last().getChange()).isEqualTo(AlertChange.REFUSED);
        play.act(play.action(AlertActionKind.ACKNOWLEDGE, id(play))
                .setBasedOn(2L)
                .build());
        assertThat(play.last().getState()).as("refusals change nothing").isEqualTo(AlertState.CLOSED);
    }

    @Test
    void shouldLetTheFirstOfTwoPeopleWin() {
        Play play = opened();
        long seen = play.last().getRevision();
        play.act(play.action(AlertActionKind.ACKNOWLEDGE, id(play))
                .setBasedOn(seen)
                .build());
        play.act(play.action(AlertActionKind.ACKNOWLEDGE, id(play))
                .setBasedOn(seen)
                .setBy("tom")
                .build());
        assertThat(play.last())
                .returns(AlertChange.REFUSED, Alert::getChange)
                .returns("the alert has changed since revision 1: ACKNOWLEDGED by eva (revision 2)", Alert::getReason);
        play.act(play.action(AlertActionKind.ACKNOWLEDGE, id(play)).setBy("tom").build());
        assertThat(play.last().getReason()).isEqualTo("it is acknowledged already, by eva");
    }

    @Test
    void shouldAnswerAnActionOnceAndOneForAnUnknownAlertVisibly() {
        Play play = opened();
        AlertAction note =
                play.action(AlertActionKind.NOTE, id(play)).setNote("seen").build();
        play.act(note);
        play.act(note);
        assertThat(play.known).isFalse();
        assertThat(changes(play.all)).containsExactly(AlertChange.OPENED, AlertChange.NOTED);

        AlertAction unknown = play.action(AlertActionKind.CLOSE, "DEFECT-ANOMALOUS-frames-0-99")
                .build();
        assertThat(play.act(unknown)).singleElement().satisfies(a -> {
            assertThat(a.getAlertId()).isEqualTo("REFUSED-" + unknown.getActionId());
            assertThat(a.getActionId()).isEqualTo(unknown.getActionId());
            assertThat(a.getState()).isEqualTo(AlertState.CLOSED);
            assertThat(a.getDetails()).containsEntry("alertId", "DEFECT-ANOMALOUS-frames-0-99");
        });
        play.act(AlertActionKind.CLOSE, id(play));
        play.act(AlertActionKind.ACKNOWLEDGE, id(play));
        assertThat(play.last().getReason())
                .startsWith("the alert was closed at")
                .contains("CLOSED by eva");
    }

    @Test
    void shouldCallACameraSilentOnceUntilItSendsAgain() {
        Play play = new Play();
        play.frames(20, 0.1);
        assertThat(play.after(Duration.ofSeconds(59))).isEmpty();
        assertThat(play.after(Duration.ofSeconds(2))).singleElement().satisfies(a -> {
            assertThat(a.getAlertId()).isEqualTo("CAMERA-SILENT-frames-0-19");
            assertThat(a.getKind()).isEqualTo(AlertKind.CAMERA);
            assertThat(a.getSeverity()).isEqualTo(AlertSeverity.HIGH);
        });
        play.act(AlertActionKind.CLOSE, id(play));
        assertThat(play.after(Duration.ofMinutes(5)))
                .as("once closed it stays closed")
                .isEmpty();
        play.frame(0.1);
        assertThat(changes(play.after(Duration.ofMinutes(2)))).containsExactly(AlertChange.OPENED);
        assertThat(changes(play.frame(0.1))).containsExactly(AlertChange.CLEARED);
    }

    @Test
    void shouldNotCallSlowNewOrMaintainedCamerasSilent() {
        Play slow = new Play();
        for (int i = 0; i < 100; i++) {
            slow.frame(0.1);
            slow.now = slow.now.plusSeconds(30);
        }
        assertThat(slow.after(Duration.ofMinutes(4))).isEmpty();
        assertThat(slow.after(Duration.ofMinutes(8))).hasSize(1);

        Play fresh = new Play();
        fresh.frames(3, 0.1);
        assertThat(fresh.after(Duration.ofMinutes(50))).isEmpty();

        Play started = new Play();
        started.frames(20, 0.1);
        assertThat(started.afterStart(Duration.ofHours(2)))
                .as("frames may be on their way")
                .isEmpty();

        Play maintained = new Play();
        maintained.frames(20, 0.1);
        maintained.act(maintained
                .action(AlertActionKind.START_MAINTENANCE, null)
                .setUntil(maintained.now.plusSeconds(3_600))
                .build());
        assertThat(maintained.after(Duration.ofMinutes(30))).isEmpty();
    }

    @Test
    void shouldSuppressDefectsOfACameraThatSendsBlackImages() {
        Play play = opened();
        for (int i = 0; i < 3; i++) play.frame(play.image(1, 0, 0));
        assertThat(play.all)
                .extracting(Alert::getCondition, Alert::getChange, Alert::getState)
                .containsExactly(
                        tuple("ANOMALOUS", AlertChange.OPENED, AlertState.ACTIVE_UNACKNOWLEDGED),
                        tuple("BLACK", AlertChange.OPENED, AlertState.ACTIVE_UNACKNOWLEDGED),
                        tuple("ANOMALOUS", AlertChange.SUPPRESSED, AlertState.SUPPRESSED));
        assertThat(play.last().getSuppressedBy()).isEqualTo("CAMERA-BLACK-frames-0-5");
        for (int i = 0; i < 3; i++) play.frame(play.image(0, 0, 0.1));
        assertThat(changes(play.all).subList(3, 5)).containsExactly(AlertChange.CLEARED, AlertChange.UNSUPPRESSED);
        assertThat(play.last().getState()).isEqualTo(AlertState.ACTIVE_UNACKNOWLEDGED);
    }

    @Test
    void shouldOpenSuppressedInMaintenanceAndSayWhatIsLeftAfterIt() {
        Play play = new Play();
        play.act(play.action(AlertActionKind.START_MAINTENANCE, null)
                .setUntil(play.now.plusSeconds(3_600))
                .build());
        assertThat(play.last())
                .returns(AlertChange.MAINTENANCE_STARTED, Alert::getChange)
                .returns("MAINTENANCE-a1", Alert::getAlertId);
        play.frames(3, 0.7);
        assertThat(play.last())
                .returns(AlertChange.OPENED, Alert::getChange)
                .returns(AlertState.SUPPRESSED, Alert::getState);
        play.frames(10, 0.1);
        assertThat(play.last())
                .as("nobody was alarmed, so nobody needs to acknowledge")
                .returns(AlertChange.CLEARED, Alert::getChange)
                .returns(AlertState.CLOSED, Alert::getState);
        play.frames(3, 0.7);
        play.all.clear();
        play.after(Duration.ofHours(1));
        assertThat(play.all)
                .extracting(Alert::getChange, Alert::getState)
                .containsExactly(
                        tuple(AlertChange.MAINTENANCE_ENDED, AlertState.CLOSED),
                        tuple(AlertChange.UNSUPPRESSED, AlertState.ACTIVE_UNACKNOWLEDGED));
        play.act(play.action(AlertActionKind.END_MAINTENANCE, null).build());
        assertThat(play.last().getReason()).isEqualTo("the camera is not in maintenance");
    }

    @Test
    void shouldNoticeFrozenOverexposedAndBlurredImages() {
        Play play = new Play();
        for (int i = 0; i < 200; i++) play.frame(play.image(0, 0, 0.05));
        assertThat(play.all).isEmpty();
        for (int i = 0; i < 40; i++) play.frame(play.image(0, 0, 0.05, 77));
        assertThat(play.last()).returns("FROZEN", Alert::getCondition).returns("30", a -> a.getDetails()
                .get("sameImages"));
        for (int i = 0; i < 3; i++) play.frame(play.image(0, 0, 0.05));
        assertThat(play.last().getChange()).isEqualTo(AlertChange.CLEARED);
        for (int i = 0; i < 3; i++) play.frame(play.image(0, 1, 0));
        assertThat(play.last().getCondition()).isEqualTo("OVEREXPOSED");
        for (int i = 0; i < 3; i++) play.frame(play.image(0, 0, 0.01));
        assertThat(play.last()).returns("BLURRED", Alert::getCondition).returns(AlertChange.OPENED, Alert::getChange);
        play.act(AlertActionKind.CLOSE, play.last().getAlertId());
        play.all.clear();
        for (int i = 0; i < 300; i++) play.frame(play.image(0, 0, 0.01));
        assertThat(play.all).as("closed by a person: it is the usual now").isEmpty();
    }

    @Test
    void shouldForgetCamerasAndProductsAndSayWhy() {
        Play play = opened("silent.ms", "0", "renotify.ms", "0");
        play.now = play.now.plus(Duration.ofDays(6));
        for (int i = 0; i < 10; i++) play.frame("bolt", 0.1);
        play.after(Duration.ofDays(1).plusMinutes(1));
        assertThat(play.last())
                .returns(AlertState.CLOSED, Alert::getState)
                .returns("the camera has sent no frame of the product for 604800 s", Alert::getReason);
        assertThat(play.forgotten).isFalse();
        for (int i = 0; i < 3; i++) play.frame("bolt", 0.9);
        play.after(Duration.ofDays(7));
        assertThat(play.last().getReason()).isEqualTo("the camera has sent no frame of the product for 604800 s");
        assertThat(play.forgotten).isTrue();

        Play passing = new Play();
        passing.frame(0.1);
        passing.after(Duration.ofHours(1));
        assertThat(passing.forgotten).isTrue();
        assertThat(passing.all).isEmpty();
    }

    @Test
    void shouldCloseClearedAlertsThatNobodyAcknowledges() {
        Play play = opened("silent.ms", "0");
        play.frames(10, 0.1);
        for (int i = 0; i < 7; i++) {
            play.after(Duration.ofDays(1));
            play.frame("", 0.1);
        }
        assertThat(play.last()).returns(AlertState.CLOSED, Alert::getState);
        assertThat(play.last().getReason()).startsWith("it is cleared, and nobody acknowledged it");
    }

    @Test
    void shouldSurviveClocksThatJump() {
        Play play = opened();
        play.frames(20, 0.7);
        play.now = play.now.minus(Duration.ofDays(30));
        assertThat(play.afterStart(Duration.ZERO)).isEmpty();
        assertThat(changes(play.after(Duration.ofSeconds(6)))).containsExactly(AlertChange.COUNTED);
        assertThat(changes(play.after(Duration.ofMinutes(16))))
                .as("silence and reminders count from the jump on")
                .containsExactly(AlertChange.RENOTIFIED, AlertChange.OPENED, AlertChange.SUPPRESSED);
        play.frame(0.1);
        play.all.clear();
        assertThat(play.afterStart(Duration.ofDays(400)))
                .as("a jump ahead forgets nothing while cameras may still show up")
                .extracting(Alert::getChange)
                .doesNotContain(AlertChange.CLOSED);
        assertThat(play.forgotten).isFalse();
    }

    @Test
    void shouldSayWhenItNextNeedsATick() {
        AlertRules rules =
                new AlertRules(Play.settings(), (c, p) -> AlertPolicy.of(Play.settings()), NormalScores.UNKNOWN);
        Play play = opened();
        play.frames(10, 0.7);
        CameraState state = StateCodec.read(play.state);
        long now = AlertRecords.micros(play.now);
        assertThat(rules.due(state, now) - now).isBetween(0L, 5_000_000L);
    }
}

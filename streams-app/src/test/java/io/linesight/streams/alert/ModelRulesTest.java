package io.linesight.streams.alert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.linesight.models.rollouts.ChannelState;
import io.linesight.models.rollouts.HistoryEntry;
import io.linesight.schemas.Alert;
import io.linesight.schemas.AlertActionKind;
import io.linesight.schemas.AlertChange;
import io.linesight.schemas.AlertKind;
import io.linesight.schemas.AlertState;
import io.linesight.schemas.ModelRole;
import io.linesight.schemas.ModelState;
import io.linesight.schemas.ModelStatus;
import io.linesight.schemas.Rollout;
import io.linesight.schemas.RolloutAction;
import io.linesight.schemas.RolloutMode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ModelRulesTest {
    private final Play play = new Play(Play.settings(), null, CameraState.NO_CAMERA);
    private final List<Rollout> decisions = new ArrayList<>();
    private final Map<String, ModelStatus> statuses = new LinkedHashMap<>();

    private void decide(RolloutAction action, String champion, @Nullable String challenger, boolean automatic) {
        decisions.add(Rollout.newBuilder()
                .setChannel("line")
                .setRevision(decisions.size() + 1)
                .setBasedOn(decisions.size())
                .setAction(action)
                .setMode(challenger == null ? RolloutMode.ACTIVE : RolloutMode.CANARY)
                .setChampion(champion)
                .setChallenger(challenger)
                .setBy(automatic ? "line-1, guard" : "eva")
                .setAutomatic(automatic)
                .setReason(automatic ? "3 % of its results are NaN" : "")
                .setAt(play.now)
                .build());
    }

    private void report(String instance, String version, ModelState state, @Nullable String reason) {
        String key = instance + "/" + version;
        statuses.remove(key);
        statuses.put(
                key,
                ModelStatus.newBuilder()
                        .setInstance(instance)
                        .setChannel("line")
                        .setVersion(version)
                        .setRole(state == ModelState.RETIRED ? ModelRole.NONE : ModelRole.CHAMPION)
                        .setState(state)
                        .setReason(reason)
                        .setRolloutRevision(decisions.size())
                        .setAt(play.now)
                        .build());
    }

    private List<Alert> look() {
        List<HistoryEntry> history = new ArrayList<>();
        for (Rollout r : decisions) history.add(new HistoryEntry(history.size(), Optional.of(r), true, ""));
        Optional<Rollout> inForce =
                decisions.isEmpty() ? Optional.empty() : Optional.of(decisions.get(decisions.size() - 1));
        return play.apply(
                new AlertEvent.Models(new ChannelState("line", inForce, history), List.copyOf(statuses.values())));
    }

    private List<Alert> lookAfter(Duration time) {
        play.now = play.now.plus(time);
        return look();
    }

    @Test
    void shouldAlarmOnceForWhatAGuardDidAndClearWhenAPersonDecides() {
        decide(RolloutAction.PROMOTE, "m1", null, false);
        decide(RolloutAction.CANARY, "m1", "m2", false);
        assertThat(look()).isEmpty();
        decide(RolloutAction.WITHDRAW, "m1", null, true);
        assertThat(look()).singleElement().satisfies(a -> {
            assertThat(a.getAlertId()).isEqualTo("MODEL-GUARD_TRIPPED-line-3");
            assertThat(a.getKind()).isEqualTo(AlertKind.MODEL);
            assertThat(a.getCameraId()).isEmpty();
            assertThat(a.getState()).isEqualTo(AlertState.ACTIVE_UNACKNOWLEDGED);
            assertThat(a.getModelVersion()).isEqualTo("m2");
            assertThat(a.getMessage())
                    .isEqualTo("Model m2 of channel line was withdrawn by a guard: 3 % of its results are NaN.");
        });
        assertThat(look()).isEmpty();
        assertThat(play.known).as("nothing to write").isFalse();
        play.act(AlertActionKind.ACKNOWLEDGE, play.last().getAlertId());
        decide(RolloutAction.PROMOTE, "m3", null, false);
        assertThat(look())
                .extracting(Alert::getChange, Alert::getState)
                .containsExactly(tuple(AlertChange.CLEARED, AlertState.CLOSED));
        decide(RolloutAction.ROLLBACK, "m1", null, true);
        assertThat(look()).singleElement().satisfies(a -> {
            assertThat(a.getAlertId()).isEqualTo("MODEL-GUARD_TRIPPED-line-5");
            assertThat(a.getMessage()).startsWith("Model m3 of channel line was rolled back by a guard");
        });
    }

    @Test
    void shouldAlarmForTheLastHourAloneAtTheFirstStart() {
        decide(RolloutAction.CANARY, "m1", "m2", false);
        decide(RolloutAction.WITHDRAW, "m1", null, true);
        play.now = play.now.plus(Duration.ofMinutes(50));
        decide(RolloutAction.CANARY, "m1", "m3", false);
        decide(RolloutAction.WITHDRAW, "m1", null, true);
        assertThat(lookAfter(Duration.ofMinutes(20)))
                .extracting(Alert::getAlertId)
                .containsExactly("MODEL-GUARD_TRIPPED-line-4");
        play.after(Duration.ofDays(30));
        assertThat(play.forgotten).as("or it would alarm again").isFalse();
        assertThat(look()).isEmpty();
    }

    @Test
    void shouldAlarmForAnInstanceThatStaysBehindUntilItCatchesUp() {
        decide(RolloutAction.PROMOTE, "m1", null, false);
        report("line-1", "m1", ModelState.ACTIVE, null);
        report("line-2", "m1", ModelState.ACTIVE, null);
        look();
        decide(RolloutAction.PROMOTE, "m2", null, false);
        report("line-1", "m2", ModelState.LOADING, null);
        report("line-2", "m2", ModelState.LOADING, null);
        look();
        report("line-1", "m2", ModelState.ACTIVE, null);
        report("line-1", "m1", ModelState.RETIRED, "replaced by m2");
        report("line-2", "m2", ModelState.REJECTED, "its signature is wrong");
        assertThat(lookAfter(Duration.ofMinutes(4))).isEmpty();
        assertThat(lookAfter(Duration.ofMinutes(2))).singleElement().satisfies(a -> {
            assertThat(a.getAlertId()).startsWith("MODEL-INSTANCE_BEHIND-line-2-2-");
            assertThat(a.getMessage())
                    .isEqualTo("Instance line-2 does not serve m2, the champion of channel line; last it said that m2 "
                            + "is REJECTED: its signature is wrong.");
        });
        assertThat(lookAfter(Duration.ofHours(1))).isEmpty();
        report("line-2", "m2", ModelState.ACTIVE, null);
        assertThat(look()).extracting(Alert::getChange).containsExactly(AlertChange.CLEARED);
        assertThat(play.last().getMessage())
                .isEqualTo("Instance line-2 is no longer behind with m2, the champion of channel line.");
    }

    @Test
    void shouldNotAlarmForInstancesThatStoppedOrSayNothing() {
        decide(RolloutAction.PROMOTE, "m1", null, false);
        report("killed", "m1", ModelState.ACTIVE, null);
        report("stopped", "m1", ModelState.ACTIVE, null);
        decide(RolloutAction.PROMOTE, "m2", null, false);
        report("stopped", "m2", ModelState.LOADING, null);
        look();
        report("stopped", "m2", ModelState.RETIRED, "the instance stopped");
        report("stopped", "m1", ModelState.RETIRED, "the instance stopped");
        assertThat(lookAfter(Duration.ofHours(5))).isEmpty();
    }

    @Test
    void shouldNotAlarmAgainForWhatAPersonClosedUntilAnotherDecision() {
        decide(RolloutAction.PROMOTE, "m1", null, false);
        report("line-1", "m1", ModelState.ACTIVE, null);
        decide(RolloutAction.PROMOTE, "m2", null, false);
        report("line-1", "m2", ModelState.REJECTED, "no room");
        look();
        lookAfter(Duration.ofMinutes(6));
        String first = play.last().getAlertId();
        play.act(AlertActionKind.CLOSE, first);
        report("line-1", "m2", ModelState.REJECTED, "still no room");
        assertThat(lookAfter(Duration.ofHours(1))).isEmpty();
        decide(RolloutAction.PROMOTE, "m3", null, false);
        report("line-1", "m3", ModelState.REJECTED, "no room");
        look();
        assertThat(lookAfter(Duration.ofMinutes(6))).singleElement().satisfies(a -> assertThat(a.getAlertId())
                .isNotEqualTo(first));
    }

    @Test
    void shouldAlarmOnceOverAKillAndFollowAClockThatIsSetBack() {
        decide(RolloutAction.CANARY, "m1", "m2", false);
        look();
        play.commit();
        decide(RolloutAction.WITHDRAW, "m1", null, true);
        report("line-1", "m0", ModelState.ACTIVE, null);
        report("line-1", "m1", ModelState.LOADING, null);
        look();
        play.kill();
        look();
        play.now = play.now.minus(Duration.ofDays(10));
        look();
        lookAfter(Duration.ofMinutes(6));
        assertThat(play.all)
                .extracting(Alert::getCondition)
                .containsExactly(Conditions.GUARD_TRIPPED, Conditions.INSTANCE_BEHIND);
    }

    @Test
    void shouldStayBoundedWhateverGuardsDo() {
        for (int i = 0; i < 200; i++) {
            decide(RolloutAction.CANARY, "m1", "c" + i, true);
            decide(RolloutAction.WITHDRAW, "m1", null, true);
        }
        look();
        assertThat(StateCodec.read(play.state).alerts).hasSize(50);
        assertThat(play.last().getAlertId()).isEqualTo("MODEL-GUARD_TRIPPED-line-400");
    }
}

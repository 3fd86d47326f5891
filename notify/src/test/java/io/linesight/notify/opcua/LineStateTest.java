package io.linesight.notify.opcua;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.notify.Alerts;
import io.linesight.notify.opcua.LineState.Summary;
import io.linesight.schemas.Alert;
import io.linesight.schemas.AlertChange;
import io.linesight.schemas.AlertKind;
import io.linesight.schemas.AlertState;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class LineStateTest {
    private static final Instant T = Results.AT;
    private static final Source CAMERA = new Source("cam-a", "");
    private static final Source FLANGE = new Source("cam-a", "flange");

    private final LineState state = new LineState(6, 3, Duration.ofHours(1));

    private static Alert opened(String camera, int number) {
        return Alerts.of(camera, number, AlertChange.OPENED);
    }

    private static Alert next(Alert alert, AlertState to) {
        return Alert.newBuilder(alert)
                .setRevision(alert.getRevision() + 1)
                .setState(to)
                .build();
    }

    @Test
    void shouldShowTheMostUrgentAlertOfASourceAndItsParts() {
        Alert alert = opened("cam-a", 1);
        assertThat(state.apply(alert, T)).isTrue();
        assertThat(state.apply(next(opened("cam-a", 2), AlertState.SHELVED), T)).isTrue();
        Summary both = new Summary("ACTIVE_UNACKNOWLEDGED", 2);
        assertThat(state.summary(FLANGE)).isEqualTo(both);
        assertThat(state.summary(CAMERA)).isEqualTo(both);
        assertThat(state.summary(Source.LINE)).isEqualTo(both);
        assertThat(state.summary(new Source("cam-b", ""))).isEqualTo(new Summary("NORMAL", 0));
        assertThat(state.apply(next(alert, AlertState.CLOSED), T)).isTrue();
        assertThat(state.summary(FLANGE)).isEqualTo(new Summary("SHELVED", 1));
    }

    @Test
    void shouldChangeNothingForWhatIsReadAgain() {
        Alert alert = opened("cam-a", 1);
        Alert acknowledged = next(alert, AlertState.ACTIVE_ACKNOWLEDGED);
        state.apply(alert, T);
        assertThat(state.apply(alert, T)).isFalse();
        assertThat(state.apply(acknowledged, T)).isTrue();
        assertThat(state.apply(alert, T)).isFalse();
        assertThat(state.summary(FLANGE).state()).isEqualTo("ACTIVE_ACKNOWLEDGED");
        assertThat(state.apply(next(acknowledged, AlertState.CLOSED), T)).isTrue();
        assertThat(state.apply(next(acknowledged, AlertState.CLOSED), T)).isFalse();
    }

    @Test
    void shouldShowMaintenanceAsAStateOfItsCameraAndNotAsAnAlert() {
        Alert begun = Alert.newBuilder(opened("cam-a", 1))
                .setKind(AlertKind.CAMERA)
                .setCondition("MAINTENANCE")
                .setProduct(null)
                .build();
        assertThat(state.apply(begun, T)).isTrue();
        assertThat(state.summary(CAMERA)).isEqualTo(new Summary("MAINTENANCE", 0));
        assertThat(state.alerts()).isEmpty();
        assertThat(state.apply(next(begun, AlertState.CLOSED), T)).isTrue();
        assertThat(state.summary(CAMERA)).isEqualTo(new Summary("NORMAL", 0));
    }

    @Test
    void shouldForgetASilentSourceUnlessItHasAnOpenAlert() {
        state.apply(Results.of("cam-a", "flange", 1), T);
        state.apply(Results.of("cam-b", "flange", 2), T);
        Alert alert = opened("cam-b", 2);
        state.apply(alert, T);
        state.forgetSilent(T.plusSeconds(3_600));
        assertThat(state.sources()).hasSize(5);
        state.forgetSilent(T.plusSeconds(3_601));
        assertThat(state.sources())
                .containsExactlyInAnyOrder(Source.LINE, new Source("cam-b", ""), new Source("cam-b", "flange"));
        state.apply(next(alert, AlertState.CLOSED), T);
        state.forgetSilent(T.plusSeconds(3_601));
        assertThat(state.sources()).containsExactly(Source.LINE);
    }

    @Test
    void shouldStayWithinItsBounds() {
        for (int i = 0; i < 1_000; i++) {
            state.apply(Results.of("cam-" + i, "flange", i), T.plusSeconds(i));
            assertThat(state.sources()).hasSizeLessThanOrEqualTo(6);
        }
        assertThat(state.lastResult(new Source("cam-999", "flange"))).isPresent();
        for (int i = 0; i < 10; i++) state.apply(opened("cam-999", i), T);
        assertThat(state.alerts()).hasSize(3);
        assertThat(state.omitted()).isEqualTo(7);
    }

    @Test
    void shouldNotForgetACameraWithAnAlertForANewOne() {
        state.apply(opened("cam-a", 1), T);
        state.apply(opened("cam-b", 2), T);
        state.apply(Results.of("cam-c", "flange", 3), T);
        assertThat(state.sources()).contains(FLANGE, new Source("cam-b", "flange"));
        assertThat(state.lastResult(new Source("cam-c", "flange"))).isEmpty();
        assertThat(state.omitted()).isPositive();
    }

    @Test
    void shouldKnowWhatAnEventIdStandsFor() {
        EventIds ids = new EventIds();
        Alert alert = next(opened("cam-a", 1), AlertState.ACTIVE_ACKNOWLEDGED);
        assertThat(EventIds.revision(ids.next(alert), alert)).hasValue(2);
        assertThat(ids.next(alert)).isNotEqualTo(ids.next(alert));
        assertThat(EventIds.revision(ids.next(opened("cam-a", 1)), alert)).hasValue(1);
        assertThat(EventIds.revision(ids.next(alert), opened("cam-a", 1)))
                .as("not yet")
                .isEmpty();
        assertThat(EventIds.revision(ids.next(alert), opened("cam-a", 2)))
                .as("another")
                .isEmpty();
        assertThat(EventIds.revision(null, alert)).isEmpty();
    }
}

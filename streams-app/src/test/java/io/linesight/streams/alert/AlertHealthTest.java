package io.linesight.streams.alert;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.schemas.AlertActionKind;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class AlertHealthTest {

    private static AlertHealth health(Play play, Duration period) {
        return AlertHealth.of(play.all, play.now, period);
    }

    @Test
    void shouldFindWhatChattersAndFloods() {
        Play play = new Play("open.count", "1", "open.window", "1", "clear.count", "1", "silent.ms", "0");
        for (int i = 0; i < 15; i++) {
            play.frame("bolt", 0.7);
            play.frame("bolt", 0.1);
        }
        play.frame("nut", 0.7);
        AlertHealth h = health(play, Duration.ofHours(1));
        assertThat(h.alarms()).isEqualTo(16);
        assertThat(h.perTenMinutes()).isBetween(2.6, 2.7);
        assertThat(h.peakPerTenMinutes()).isEqualTo(16);
        assertThat(h.floods()).isEqualTo(1);
        assertThat(h.chattering()).containsExactly("cam-1 bolt ANOMALOUS");
        assertThat(h.sources().get(0)).isEqualTo(new AlertHealth.Source("cam-1 bolt ANOMALOUS", 15));
        assertThat(h.standing()).isEqualTo(1);
        assertThat(h.unacknowledged()).isEqualTo(2);
        assertThat(h.stale()).isEmpty();
    }

    @Test
    void shouldCountWhatStandsIsShelvedOrIsStale() {
        Play play = new Play("open.count", "1", "open.window", "1", "silent.ms", "0", "renotify.ms", "0");
        play.frame("bolt", 0.7);
        play.frame("nut", 0.7);
        play.act(play.action(AlertActionKind.SHELVE, play.last().getAlertId())
                .setUntil(play.now.plus(Duration.ofHours(20)))
                .build());
        assertThat(health(play, Duration.ofHours(1)))
                .returns(1, AlertHealth::shelved)
                .returns(2, AlertHealth::standing);
        play.after(Duration.ofHours(25));
        AlertHealth h = health(play, Duration.ofHours(1));
        assertThat(h.alarms()).as("none in the last hour").isZero();
        assertThat(h.stale()).containsExactly("DEFECT-ANOMALOUS-frames-0-0", "DEFECT-ANOMALOUS-frames-0-1");
        assertThat(h.unacknowledged()).isEqualTo(2);
    }
}

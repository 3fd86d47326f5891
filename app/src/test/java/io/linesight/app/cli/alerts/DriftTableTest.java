package io.linesight.app.cli.alerts;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.schemas.Alert;
import io.linesight.schemas.AlertChange;
import io.linesight.schemas.AlertKind;
import io.linesight.schemas.AlertSeverity;
import io.linesight.schemas.AlertState;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Instant;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class DriftTableTest {
    private final StringWriter out = new StringWriter();

    private Map<String, String> print(AlertKind kind, Map<String, String> details) {
        Alert a = Alert.newBuilder()
                .setAlertId("DRIFT-SHIFTED-frames-0-1")
                .setRevision(1)
                .setCameraId("cam-1")
                .setKind(kind)
                .setChange(AlertChange.OPENED)
                .setState(AlertState.ACTIVE_UNACKNOWLEDGED)
                .setSeverity(AlertSeverity.MEDIUM)
                .setOpenedAt(Instant.EPOCH)
                .setLastAt(Instant.EPOCH)
                .setAt(Instant.EPOCH)
                .setDetails(new TreeMap<>(details))
                .build();
        return DriftTable.print(new PrintWriter(out, true), a);
    }

    @Test
    void shouldShowBothDistributionsOfEachMeasure() {
        Map<String, String> rest = print(
                AlertKind.DRIFT,
                Map.of(
                        "moved", "brightness",
                        "tailOnly", "score",
                        "window.frames", "100",
                        "brightness.effect", "1.4",
                        "brightness.windows", "3",
                        "brightness.before", "0.3 0.4 0.5 0.6 0.7",
                        "brightness.now", "0.2 0.3 0.4 0.5 0.6",
                        "score.effect", "0.6",
                        "score.before", "1 2 3 4 5",
                        "score.now", "1 2 3 4 50"));
        assertThat(rest).containsOnlyKeys("window.frames");
        assertThat(out.toString().lines())
                .containsExactly(
                        "",
                        "measure     drifted              effect  windows          1 %  10 %  50 %  90 %  99 %",
                        "brightness  yes                  1.4     3        before  0.3  0.4   0.5   0.6   0.7",
                        "                                                  now     0.2  0.3   0.4   0.5   0.6",
                        "score       tail alone: defects  0.6              before  1    2     3     4     5",
                        "                                                  now     1    2     3     4     50",
                        "");
    }

    @Test
    void shouldTakeDetailsAsTheyAreWhereTheyAreOthers() {
        Map<String, String> details = Map.of("moved", "away", "score.before", "?");
        assertThat(print(AlertKind.DEFECT, details)).isEqualTo(details);
        assertThat(out.toString()).isEmpty();
        assertThat(print(AlertKind.DRIFT, details)).isEmpty();
        assertThat(out.toString()).contains("score");
    }
}

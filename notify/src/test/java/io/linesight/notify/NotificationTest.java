package io.linesight.notify;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.linesight.schemas.AlertChange;
import io.linesight.schemas.AlertKind;
import io.linesight.schemas.AlertSeverity;
import java.util.Set;
import org.junit.jupiter.api.Test;

class NotificationTest {
    @Test
    void shouldBeACloudEventThatNeedsNoAvro() throws Exception {
        Notification n = Notification.of(Alerts.of("cam/ü 1", 7, AlertChange.OPENED));
        JsonNode e = new ObjectMapper().readTree(n.json());
        assertThat(e.path("specversion").asText()).isEqualTo("1.0");
        assertThat(e.path("id").asText()).isEqualTo(n.id()).isEqualTo("DEFECT-ANOMALOUS-cam/ü 1-7/1");
        assertThat(e.path("type").asText()).isEqualTo("io.linesight.alert.opened");
        assertThat(e.path("source").asText()).isEqualTo("/linesight/line%201/cam%2F%C3%BC%201");
        assertThat(e.path("time").asText()).isEqualTo("2026-01-01T00:00:00Z");
        JsonNode data = e.path("data");
        assertThat(data.path("severity").asText()).isEqualTo("MEDIUM");
        assertThat(data.at("/first/frameRef/offset").asLong()).isEqualTo(7);
        assertThat(data.at("/first/rawScore").asText()).isEqualTo("NaN");
        assertThat(data.at("/attributes/lot").asText()).isEqualTo("A 17");
        assertThat(data.path("clearedAt").isNull()).isTrue();
        assertThat(data.path("openedAt").asText()).isEqualTo("2026-01-01T00:00:00Z");
    }

    @Test
    void shouldDeliverWhatIsWanted() {
        AlertFilter all = AlertFilter.all();
        assertThat(all.wants(Alerts.of("c", 1, AlertChange.OPENED))).isTrue();
        assertThat(all.wants(Alerts.of("c", 1, AlertChange.COUNTED))).isFalse();
        assertThat(all.wants(Alerts.of("c", 1, AlertChange.REFUSED))).isFalse();
        assertThat(new AlertFilter(Set.of(AlertKind.CAMERA), AlertSeverity.UNKNOWN)
                        .wants(Alerts.of("c", 1, AlertChange.OPENED)))
                .isFalse();
        assertThat(new AlertFilter(Set.of(), AlertSeverity.HIGH).wants(Alerts.of("c", 1, AlertChange.OPENED)))
                .isFalse();
    }

    @Test
    void shouldMakeOneLevelOfATopicOfAnyName() {
        assertThat(MqttSink.level("a/b+c#d\u0000")).isEqualTo("a_b_c_d_");
        assertThat(MqttSink.level("")).isEqualTo("-");
        assertThat(MqttSink.level(null)).isEqualTo("-");
        assertThat(MqttSink.level("ü".repeat(5000))).hasSize(1024);
    }
}

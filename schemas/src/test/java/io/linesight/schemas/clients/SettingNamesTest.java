package io.linesight.schemas.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SettingNamesTest {
    @Test
    void shouldKeepTheOldNameOfARenamedSetting() {
        assertThat(SettingNames.canonical(Map.of("linesight.models.patience.ms", "5000")))
                .isEqualTo(Map.of("linesight.models.timeout.ms", "5000"));
    }

    @Test
    void shouldMeanTheSameWithAndWithoutPrefix() {
        assertThat(SettingNames.canonical(Map.of(
                        "kafka.security.protocol", "SSL",
                        "ssl.truststore.location", "trust.p12",
                        "kafka.schema.registry.url", "http://registry",
                        "kafka.retries", "3",
                        "retries", "3")))
                .isEqualTo(Map.of(
                        "security.protocol", "SSL",
                        "ssl.truststore.location", "trust.p12",
                        "schema.registry.url", "http://registry",
                        "retries", "3"));
    }

    @Test
    void shouldNameBothNamesOfEverySettingWithTwoValues() {
        assertThatThrownBy(() -> SettingNames.canonical(Map.of(
                        "linesight.models.patience.ms", "5000",
                        "linesight.models.timeout.ms", "6000",
                        "kafka.sasl.jaas.config", "secret1",
                        "sasl.jaas.config", "secret2",
                        "kafka.client.id", "same",
                        "client.id", " same ")))
                .hasMessageContainingAll(
                        "linesight.models.timeout.ms and linesight.models.patience.ms",
                        "sasl.jaas.config and kafka.sasl.jaas.config")
                .hasMessageNotContaining("client.id")
                .hasMessageNotContaining("secret");
    }

    @Test
    void shouldReplaceASettingHoweverItIsWritten() {
        Map<String, String> settings = new HashMap<>(
                Map.of("kafka.security.protocol", "PLAINTEXT", "linesight.models.patience.ms", "1", "acks", "all"));
        SettingNames.override(
                settings,
                Map.of(
                        "security.protocol",
                        "SSL",
                        "linesight.models.timeout.ms",
                        "2",
                        "kafka.acks",
                        "1",
                        "client.id",
                        "new"));
        assertThat(settings)
                .isEqualTo(Map.of(
                        "security.protocol",
                        "SSL",
                        "linesight.models.timeout.ms",
                        "2",
                        "kafka.acks",
                        "1",
                        "client.id",
                        "new"));
    }

    @Test
    void shouldLeaveOutWhatIsNull() {
        Map<String, String> settings = new HashMap<>();
        settings.put("bootstrap.servers", null);
        settings.put("kafka.bootstrap.servers", null);
        assertThat(SettingNames.canonical(settings)).isEmpty();
    }
}

package io.linesight.notify.opcua;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class OpcUaConfigTest {
    private static OpcUaConfig config(String host, int port, Map<String, String> users, boolean anonymous, int max) {
        return new OpcUaConfig(
                "127.0.0.1",
                port,
                host,
                Path.of("opcua"),
                users,
                anonymous,
                Duration.ofHours(24),
                max,
                max,
                Duration.ofSeconds(5));
    }

    @Test
    void shouldNameEverythingThatIsWrongAtOnce() {
        assertThat(config("my host", 0, Map.of("eva", "short"), false, 0).problems())
                .hasSize(5)
                .anySatisfy(p -> assertThat(p).contains("port 0"))
                .anySatisfy(p -> assertThat(p).contains("my host"))
                .anySatisfy(p -> assertThat(p).contains("password of user eva").doesNotContain("short "));
        assertThat(config("plc", 4840, Map.of(), false, 1).problems())
                .singleElement()
                .asString()
                .contains("users");
        assertThat(config("plc", 4840, Map.of(), true, 1).problems()).isEmpty();
        assertThat(config("plc", 4840, Map.of("eva", "long enough"), false, 1).problems())
                .isEmpty();
    }

    @Test
    void shouldNotShowPasswords() {
        assertThat(config("plc", 4840, Map.of("eva", "correct horse"), false, 1))
                .asString()
                .contains("eva", "opc.tcp://plc:4840/linesight")
                .doesNotContain("correct horse");
    }
}

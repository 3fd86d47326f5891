package io.linesight.app.cli.common;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EnvironmentSettingsTest {
    @TempDir
    Path dir;

    @Test
    void shouldReadKeysFromNames() {
        assertThat(EnvironmentSettings.of(Map.of(
                        "LINESIGHT_SET_BOOTSTRAP_SERVERS",
                        "kafka:9092",
                        "LINESIGHT_SET_LINESIGHT_MODELS_TRUSTED_KEYS",
                        "/trust/line.pub",
                        "LINESIGHT_SET_A__B___C",
                        " kept as it is ",
                        "LINESIGHT_SET_EMPTY",
                        "",
                        "LINESIGHT_JAVA_OPTS",
                        "-Xmx1g",
                        "PATH",
                        "/bin")))
                .containsExactlyInAnyOrderEntriesOf(Map.of(
                        "bootstrap.servers",
                        "kafka:9092",
                        "linesight.models.trusted.keys",
                        "/trust/line.pub",
                        "a_b-c",
                        " kept as it is "));
    }

    @Test
    void shouldReadSecretsFromFiles() throws IOException {
        Path secret = Files.writeString(dir.resolve("jaas"), "required password=\"p\";\n");
        assertThat(EnvironmentSettings.of(Map.of("LINESIGHT_FILE_SASL_JAAS_CONFIG", secret.toString())))
                .containsEntry("sasl.jaas.config", "required password=\"p\";");
    }

    @Test
    void shouldNameEveryVariableThatCannotBeUsedAndNoValue() {
        assertThatThrownBy(() -> EnvironmentSettings.of(Map.of(
                        "LINESIGHT_FILE_SSL_KEY_PASSWORD",
                        dir.resolve("none").toString(),
                        "LINESIGHT_SET_",
                        "hidden1",
                        "LINESIGHT_SET_SASL_MECHANISM",
                        "hidden2",
                        "LINESIGHT_FILE_SASL_MECHANISM",
                        "hidden3")))
                .isInstanceOf(UserError.class)
                .hasMessageContainingAll(
                        "LINESIGHT_FILE_SSL_KEY_PASSWORD names " + dir.resolve("none") + ", where there is no file",
                        "LINESIGHT_SET_ names no setting",
                        "LINESIGHT_FILE_SASL_MECHANISM and LINESIGHT_SET_SASL_MECHANISM both say sasl.mechanism",
                        "Nothing was started")
                .hasMessageNotContaining("hidden1")
                .hasMessageNotContaining("hidden2");
    }
}

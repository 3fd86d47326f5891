package io.linesight.app.cli.common;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.linesight.mmad.checkpoint.VerdictRule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.ParameterException;

class ServeSettingsTest {
    @TempDir
    Path folder;

    @Command
    private static final class Probe {
        @Mixin
        private ServeSettings settings;
    }

    private static VerdictRule rule(String... arguments) {
        Probe probe = CommandLine.populateCommand(new Probe(), arguments);
        return probe.settings.rule(probe.settings.read());
    }

    private String file(String... lines) throws IOException {
        return Files.write(folder.resolve("line.properties"), java.util.List.of(lines))
                .toString();
    }

    @Test
    void shouldLeaveTheBandToTheCheckpointWhereNothingIsSet() throws IOException {
        assertThat(rule()).isEqualTo(VerdictRule.DEFAULT);
        assertThat(rule("-c", file("bootstrap.servers=kafka:9092", "sasl.jaas.config=secret")))
                .isEqualTo(VerdictRule.DEFAULT);
    }

    @Test
    void shouldTakeTheBandOfTheFileThatServeReads() throws IOException {
        String file = file("bootstrap.servers=kafka:9092", "linesight.review.low=0.1", "linesight.review.high = 0.8");

        assertThat(rule("-c", file)).isEqualTo(new VerdictRule(0.1, 0.8));
        assertThat(rule("--config", file, "-s", "linesight.review.high=0.7")).isEqualTo(new VerdictRule(0.1, 0.7));
        assertThat(rule("--set", "linesight.review.low=0.25")).isEqualTo(new VerdictRule(0.25, null));
    }

    @Test
    void shouldRejectWhatServeRejects() {
        assertThatThrownBy(() -> rule("-s", "linesight.review.low=0.7"))
                .isInstanceOf(ParameterException.class)
                .hasMessageContaining("linesight.review.low");
        assertThatThrownBy(() -> rule("-s", "linesight.review.high=most"))
                .isInstanceOf(ParameterException.class)
                .hasMessageContaining("linesight.review.high");
        assertThatThrownBy(() -> rule("-c", folder.resolve("none").toString())).isInstanceOf(UserError.class);
    }
}

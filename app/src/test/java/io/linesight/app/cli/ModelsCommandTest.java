package io.linesight.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class ModelsCommandTest {
    @TempDir
    Path dir;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int run(String... args) {
        CommandLine line = Linesight.commandLine();
        line.setOut(new PrintWriter(out, true));
        line.setErr(new PrintWriter(err, true));
        return line.execute(args);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "list",
                "show",
                "publish",
                "promote",
                "rollback",
                "shadow",
                "canary",
                "withdraw",
                "pin",
                "unpin",
                "history",
                "status",
                "gc",
                "keygen"
            })
    void shouldExplainEveryCommand(String command) {
        assertThat(run("models", command, "--help")).isZero();
        assertThat(out.toString())
                .contains("Usage: linesight models " + command, "Examples:", "  linesight models " + command);
        if (!command.equals("keygen")) assertThat(out.toString()).contains("--bootstrap", "--registry", "--trust");
    }

    @Test
    void shouldRejectWrongCommandLinesWithExitCodeTwo() {
        assertThat(run("models")).isEqualTo(2);
        assertThat(run("models", "promot")).isEqualTo(2);
        assertThat(run("models", "promote")).isEqualTo(2);
        assertThat(run("models", "shadow", "v", "--percent", "many")).isEqualTo(2);
        assertThat(run("models", "keygen", "--public")).isEqualTo(2);
        assertThat(run("models", "gc", "--older-than", "a week")).isEqualTo(2);
        assertThat(err.toString()).contains("say what to do with models").doesNotContain("\tat ");
    }

    @Test
    void shouldSayWhatIsMissing() {
        assertThat(run("models", "list")).isEqualTo(1);
        assertThat(run("models", "list", "-b", "localhost:1")).isEqualTo(1);
        assertThat(run(
                        "models",
                        "promote",
                        "v",
                        "-b",
                        "localhost:1",
                        "-r",
                        "http://localhost:1",
                        "--set",
                        "linesight.models.patience.ms=1000"))
                .isEqualTo(1);
        assertThat(run("models", "publish", dir.resolve("none.onnx").toString()))
                .isEqualTo(1);
        assertThat(run(
                        "models",
                        "list",
                        "-b",
                        "localhost:1",
                        "-r",
                        "http://localhost:1",
                        "--trust",
                        dir.resolve("no.pem").toString()))
                .isEqualTo(1);
        assertThat(err.toString())
                .contains(
                        "bootstrap.servers is not set",
                        "schema.registry.url is not set",
                        "localhost:1 does not answer",
                        "none.onnx",
                        "no.pem")
                .doesNotContain("\tat ");
    }

    @Test
    void shouldMakeKeysOnce() {
        assertThat(run(
                        "models",
                        "keygen",
                        "--private",
                        dir.resolve("k").toString(),
                        "--public",
                        dir.resolve("p").toString()))
                .isZero();
        assertThat(out.toString()).matches("(?s)Key [0-9a-f]{16}: .* signs \\(keep it secret\\), .* checks.\\R");
        assertThat(run(
                        "models",
                        "keygen",
                        "--private",
                        dir.resolve("k").toString(),
                        "--public",
                        dir.resolve("p2").toString()))
                .isEqualTo(1);
        assertThat(err.toString()).contains("never overwritten");
    }

    @Test
    void shouldMakeKeysInThisFolderByDefault() {
        CommandLine.Model.CommandSpec keygen = Linesight.commandLine()
                .getSubcommands()
                .get("models")
                .getSubcommands()
                .get("keygen")
                .getCommandSpec();
        assertThat(keygen.findOption("--private").defaultValue()).isEqualTo("line.key");
        assertThat(keygen.findOption("--public").defaultValue()).isEqualTo("line.pub");
        assertThat(keygen.requiredArgs()).isEmpty();
    }
}

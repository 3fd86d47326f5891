package io.linesight.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.app.cli.common.Durations;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class LinesightTest {
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

    @Test
    void shouldExplainItself() {
        assertThat(run("--help")).isZero();
        assertThat(out.toString())
                .contains(
                        "demo",
                        "simulate",
                        "fit",
                        "evaluate",
                        "score",
                        "replay",
                        "camera",
                        "serve",
                        "label",
                        "train",
                        "topics",
                        "schemas",
                        "doctor",
                        "models",
                        "encoder",
                        "parity",
                        "Exit codes",
                        "Examples");
    }

    @Test
    void shouldListEveryCommandUnderAHeading() {
        assertThat(run("--help")).isZero();
        assertThat(out.toString())
                .contains("Try it on this machine:", "Make a model:", "Run a line:", "Check and look up:")
                .doesNotContain("Other:", "gallery");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "demo",
                "simulate",
                "fit",
                "evaluate",
                "score",
                "replay",
                "camera",
                "serve",
                "label",
                "train",
                "topics",
                "schemas",
                "doctor",
                "models",
                "encoder",
                "parity"
            })
    void shouldExplainEveryCommand(String command) {
        assertThat(run(command, "--help")).isZero();
        assertThat(out.toString()).contains("Usage: linesight " + command, "linesight " + command, "--verbose");
    }

    @Test
    void shouldTellItsVersion() {
        assertThat(run("--version")).isZero();
        assertThat(out.toString()).matches("(?s)linesight \\d+\\.\\d+.*Java \\d+.*");
    }

    @Test
    void shouldRejectWrongCommandLinesWithExitCodeTwo() {
        assertThat(run()).isEqualTo(2);
        assertThat(run("dmo")).isEqualTo(2);
        assertThat(run("demo", "--cameras", "many")).isEqualTo(2);
        assertThat(run("demo", "--cameras", "0")).isEqualTo(2);
        assertThat(run("demo", "--for", "2 minutes")).isEqualTo(2);
        assertThat(run("demo", "--fps", "0")).isEqualTo(2);
        assertThat(run("simulate")).isEqualTo(2);
        assertThat(run("camera", "--cameras", "0")).isEqualTo(2);
        assertThat(run("camera", "--fps", "0")).isEqualTo(2);
        assertThat(run("camera", "--defects", "1.5")).isEqualTo(2);
        assertThat(run("simulate", "--out", dir.resolve("x").toString(), "--products", "sprocket"))
                .isEqualTo(2);
        assertThat(run("fit", "--data", dir.toString(), "--out", "m.onnx")).isEqualTo(2);
        assertThat(run("replay", "--data", dir.toString(), "--split", "both")).isEqualTo(2);
        assertThat(err.toString())
                .contains("flange, board", "--minutes or --epochs", "write 90s, 2m or 1h30m")
                .doesNotContain("Exception", "\tat ");
    }

    @Test
    void shouldSayWhatIsWrongWithInputs() throws IOException {
        Path garbage = Files.writeString(dir.resolve("garbage.onnx"), "no model");
        Path image = Files.write(dir.resolve("p.png"), new byte[] {1, 2, 3});
        Path empty = Files.createDirectory(dir.resolve("empty"));
        assertThat(run("score", "--model", dir.resolve("none.onnx").toString(), image.toString()))
                .isEqualTo(1);
        assertThat(run("score", "--model", garbage.toString(), image.toString()))
                .isEqualTo(1);
        assertThat(run("score", dir.resolve("none.png").toString())).isEqualTo(1);
        assertThat(run("score", empty.toString())).isEqualTo(1);
        assertThat(run("replay", "--data", empty.toString())).isEqualTo(1);
        assertThat(run(
                        "fit",
                        "--data",
                        empty.toString(),
                        "--minutes",
                        "1",
                        "--out",
                        dir.resolve("m.onnx").toString()))
                .isEqualTo(1);
        assertThat(run(
                        "fit",
                        "--data",
                        dir.resolve("nowhere").toString(),
                        "--minutes",
                        "1",
                        "--out",
                        dir.resolve("m.onnx").toString()))
                .isEqualTo(1);
        assertThat(run("evaluate", "--data", empty.toString(), "--model", garbage.toString()))
                .isEqualTo(1);
        assertThat(run(
                        "parity",
                        "--manifest",
                        dir.resolve("none.json").toString(),
                        "--out",
                        dir.resolve("m.onnx").toString()))
                .isEqualTo(1);
        assertThat(run("simulate", "--out", dir.toString())).isEqualTo(1);
        assertThat(run("serve", "--config", dir.resolve("none.properties").toString()))
                .isEqualTo(1);
        assertThat(run("serve")).isEqualTo(1);
        assertThat(run("topics")).isEqualTo(1);
        assertThat(err.toString()
                        .lines()
                        .filter(l -> l.startsWith("linesight: "))
                        .count())
                .isEqualTo(13);
        assertThat(err.toString())
                .contains("none.onnx", "garbage.onnx", "none.png", "not empty", "none.properties", "bootstrap.servers")
                .doesNotContain("\tat ", "NullPointer");
    }

    @Test
    void shouldShowTheStackTraceOnlyWhenAsked() {
        run("topics", "--verbose");
        assertThat(err.toString()).contains("\tat ");
    }

    @Test
    void shouldSayThatTheBrokerDoesNotAnswer() throws IOException {
        int port;
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        assertThat(run(
                        "topics",
                        "-b",
                        "localhost:" + port,
                        "--set",
                        "default.api.timeout.ms=1500",
                        "--set",
                        "request.timeout.ms=1000"))
                .isEqualTo(1);
        assertThat(err.toString()).contains("localhost:" + port, "does not answer");
    }

    @Test
    void shouldListProblemsAndEndInTimeWithoutABroker() throws IOException {
        assertThat(run("doctor", "--problems")).isZero();
        assertThat(out.toString()).contains("TOPIC_TOO_SMALL (stops)", "GROUP_SHARED", "    -> kafka-configs");
        int port;
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        assertThat(run("doctor", "-b", "localhost:" + port, "--for", "camera", "--timeout", "12s", "--acls"))
                .isEqualTo(1);
        assertThat(out.toString())
                .contains(
                        "STOP  broker",
                        "nothing listens there",
                        "not run: the broker cannot be used",
                        "kafka-acls --bootstrap-server localhost:" + port,
                        "1 finding stops it");
        out.getBuffer().setLength(0);
        assertThat(run("doctor", "-b", "localhost:" + port, "--for", "camera", "--timeout", "12s", "--json"))
                .isEqualTo(1);
        assertThat(out.toString()).startsWith("{").contains("\"healthy\" : false", "\"problem\" : \"BROKER_UNUSABLE\"");
        assertThat(run("doctor", "--device", "gpu")).isEqualTo(2);
    }

    @Test
    void shouldDescribeTheCatalogueWithoutABroker() {
        assertThat(run("topics", "--describe", "--prefix", "plant7", "--partitions", "12"))
                .isZero();
        assertThat(out.toString()).contains("plant7.frames.v1  12 partitions", "max.message.bytes");
    }

    @Test
    void shouldWriteSimulatedData() {
        assertThat(run(
                        "simulate",
                        "--out",
                        dir.resolve("parts").toString(),
                        "--train",
                        "2",
                        "--test",
                        "4",
                        "--products",
                        "fabric"))
                .isZero();
        assertThat(dir.resolve("parts/fabric/train/good/001.jpg")).exists();
        assertThat(out.toString()).contains("Wrote 6 images");
    }

    @Test
    void shouldDocumentEverySettingOfTheApp() {
        assertThat(run("serve", "--reference")).isZero();
        assertThat(out.toString()).contains("linesight.batch.max", "schema.registry.url", "processing.guarantee");
    }

    @Test
    void shouldUnderstandLengthsOfTime() {
        Durations d = new Durations();
        assertThat(d.convert("90s")).isEqualTo(Duration.ofSeconds(90));
        assertThat(d.convert("1h30m")).isEqualTo(Duration.ofMinutes(90));
    }
}

package io.linesight.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.linesight.demo.line.LineOptions;
import io.linesight.demo.line.RunSummary;
import io.linesight.mmad.architecture.FeatureNorm;
import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.architecture.ParameterSpecs;
import io.linesight.mmad.checkpoint.Calibration;
import io.linesight.mmad.checkpoint.Checkpoints;
import io.linesight.mmad.checkpoint.MmadModel;
import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.encoder.FilterBankEncoder;
import io.linesight.trainer.network.Initializer;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The whole demo, with an untrained tiny network: what is checked is the line, not the judgement. */
class DemoIT {
    @TempDir
    Path dir;

    /** An untrained checkpoint whose threshold makes every frame of the board anomalous and no other. */
    private Path checkpoint() throws IOException {
        Encoder encoder = FilterBankEncoder.create();
        MmadConfig config = MmadConfig.tiny(encoder.channels()).withFeatureNorm(FeatureNorm.NONE);
        Path file = dir.resolve("untrained.onnx");
        Checkpoints.write(
                file,
                new MmadModel(config, Initializer.fresh(ParameterSpecs.of(config), 1), encoder),
                new Calibration(new ProductCalibration(1e6, 1), Map.of("board", new ProductCalibration(-1, 0.1))),
                Map.of());
        return file;
    }

    @Test
    void shouldAnswerEveryFrameOnceAndPutBrokenOnesAside() throws Exception {
        StringWriter text = new StringWriter();
        Path folder = Files.createDirectory(dir.resolve("run"));
        Demo demo = new Demo(
                new DemoOptions(
                        new LineOptions(folder, checkpoint(), 0, 0, Map.of("linesight.device", "cpu")),
                        new Simulation(3, null, 7, 0.5),
                        Duration.ofSeconds(10),
                        1,
                        4,
                        false),
                new PrintWriter(text, true));
        Demo.Outcome outcome = demo.run();
        RunSummary s = outcome.summary();
        assertThat(outcome.failure()).isNull();
        assertThat(s.exact()).as(s.text()).isTrue();
        assertThat(s.frames()).isEqualTo(s.results() + s.deadLettered()).isGreaterThan(20);
        assertThat(s.deadLettered()).isGreaterThanOrEqualTo(HostileCamera.KINDS);
        assertThat(s.deadLetterCodes())
                .containsKeys(
                        "CORRUPT_IMAGE",
                        "IMAGE_TOO_LARGE",
                        "EMPTY_IMAGE",
                        "NOT_CONFLUENT_WIRE",
                        "UNSUPPORTED_ENCODING",
                        "SIZE_MISMATCH",
                        "UNKNOWN_SCHEMA");
        assertThat(s.anomalies()).as("every board, nothing else").isBetween(s.results() / 3 - 2, s.results() / 3 + 2);
        assertThat(s.accuracy().aurocByProduct()).containsOnlyKeys("flange", "board", "fabric");
        JsonNode json = new ObjectMapper().readTree(RunSummary.pretty(s.toJson()));
        for (String field : new String[] {
            "frames",
            "results",
            "lost",
            "doubled",
            "deadLettered",
            "anomalies",
            "imageAuroc",
            "framesPerSecond",
            "latencyMs",
            "meanBatch"
        }) {
            assertThat(json.has(field)).as(field).isTrue();
        }
        assertThat(json.get("latencyMs").get("p99").asDouble())
                .isGreaterThanOrEqualTo(json.get("latencyMs").get("p50").asDouble())
                .isPositive();
        try (Stream<Path> images = Files.list(folder.resolve("heatmaps"))) {
            assertThat(images.filter(
                            p -> p.toString().endsWith(".png") && p.toString().contains("-board-")))
                    .hasSize(4);
        }
        assertThat(Files.readString(folder.resolve("heatmaps/index.html"))).contains("board", "exactly once");
        assertThat(text.toString()).contains("This machine answers", "camera-1", "camera-3", "dead letters");
    }
}

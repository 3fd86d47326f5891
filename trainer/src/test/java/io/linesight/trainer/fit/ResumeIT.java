package io.linesight.trainer.fit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.linesight.mmad.architecture.Weights;
import io.linesight.mmad.checkpoint.Checkpoint;
import io.linesight.trainer.dataset.TextureSource;
import io.linesight.trainer.features.FeatureType;
import io.linesight.trainer.folders.DatasetException;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Training that is killed, stopped or hindered, and goes on. */
class ResumeIT {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path dir;

    private final ByteArrayOutputStream said = new ByteArrayOutputStream();

    private FitOptions options(String name) {
        return FitProcess.options(dir.resolve(name))
                .session(s -> s.withProgress(new PrintStream(said, true, StandardCharsets.UTF_8)));
    }

    private String said() {
        return said.toString(StandardCharsets.UTF_8);
    }

    private List<Double> losses(String metrics) throws Exception {
        List<Double> losses = new ArrayList<>();
        for (String line : Files.readAllLines(dir.resolve(metrics))) {
            JsonNode n = JSON.readTree(line);
            assertThat(n.get("step").asInt()).as("every step once").isEqualTo(losses.size() + 1);
            losses.add(n.get("loss").asDouble());
        }
        return losses;
    }

    private void shouldHaveTheSameWeights(String a, String b) throws Exception {
        Weights first = Checkpoint.read(dir.resolve(a)).weights();
        Weights second = Checkpoint.read(dir.resolve(b)).weights();
        assertThat(first.names()).isEqualTo(second.names());
        for (String name : first.names())
            assertThat(second.get(name).data())
                    .as(name)
                    .isEqualTo(first.get(name).data());
    }

    private int steps(Path metrics) throws Exception {
        return Files.exists(metrics) ? Files.readAllLines(metrics).size() : 0;
    }

    @Test
    void shouldGiveTheSameModelHoweverOftenItIsKilled() throws Exception {
        FitResult whole = Fit.run(options("whole.onnx"));
        assertThat(dir.resolve("whole.onnx.fit")).doesNotExist();

        Path out = dir.resolve("killed.onnx");
        Path run = dir.resolve("killed.onnx.fit");
        Path log = dir.resolve("log");
        Random random = new Random(3);
        int kills = 0;
        int duringSave = 0;
        int before = -1;
        while (true) {
            Process p = FitProcess.start(out, log, List.of());
            try {
                if (kills < 6) {
                    // While pictures are encoded, early in training, while a state is saved, anywhere.
                    int enough = before + 1 + random.nextInt(3);
                    boolean saving = kills % 2 == 1;
                    for (int i = 0; i < 60_000 && p.isAlive(); i++) {
                        boolean begun = kills == 0
                                ? Files.isDirectory(run.resolve("features"))
                                : steps(dir.resolve("killed.metrics.jsonl")) >= enough;
                        if (begun && saving) {
                            try (var files = Files.list(run)) {
                                begun = files.anyMatch(
                                        f -> f.getFileName().toString().startsWith("optimiser-")
                                                || f.getFileName().toString().endsWith(".part"));
                            }
                        }
                        if (begun) break;
                        Thread.sleep(1);
                    }
                    if (!saving) Thread.sleep(random.nextInt(40));
                    if (p.isAlive()) {
                        p.destroyForcibly().waitFor();
                        kills++;
                        if (saving) duringSave++;
                        before = steps(dir.resolve("killed.metrics.jsonl"));
                        assertThat(out).as("nothing half is put in place").doesNotExist();
                        continue;
                    }
                }
                assertThat(p.waitFor(120, TimeUnit.SECONDS)).isTrue();
            } finally {
                p.destroyForcibly();
            }
            break;
        }
        String text = Files.readString(log);
        assertThat(kills).as(text).isGreaterThanOrEqualTo(4);
        assertThat(duringSave).isGreaterThanOrEqualTo(1);
        assertThat(text)
                .contains("resuming at step")
                .contains("images were known already")
                .contains("finished with loss " + whole.lastLoss());
        assertThat(losses("killed.metrics.jsonl")).isEqualTo(losses("whole.metrics.jsonl"));
        shouldHaveTheSameWeights("whole.onnx", "killed.onnx");
        assertThat(run).doesNotExist();
    }

    @Test
    void shouldStopWhenAskedAndGoOnFromThere() throws Exception {
        Fit.run(options("whole.onnx"));
        int[] asked = {0};
        // Asked before every picture and batch too: in the middle of training, one validation done.
        assertThatThrownBy(() -> Fit.run(options("stopped.onnx")
                        .output(o -> o.withSaveEvery(java.time.Duration.ofHours(1)))
                        .session(s -> s.withStopWhen(
                                () -> Files.exists(dir.resolve("stopped.metrics.jsonl")) && ++asked[0] > 7))))
                .isInstanceOf(CancellationException.class)
                .hasMessageContaining("stopped at step 7")
                .hasMessageContaining("run the same again");
        assertThat(dir.resolve("stopped.onnx")).doesNotExist();

        assertThatThrownBy(() -> Fit.run(
                        options("stopped.onnx").training(t -> t.withBatch(3).withLearningRate(0.001))))
                .isInstanceOf(DatasetException.class)
                .hasMessageContaining("step 7")
                .hasMessageContaining("batch: was 2, is 3")
                .hasMessageContaining("learning rate: was")
                .hasMessageContaining("--fresh")
                .message()
                .doesNotContain("seed");
        assertThatThrownBy(() -> Fit.run(options("stopped.onnx").data(d -> d.withSource(new TextureSource(14, 0)))))
                .isInstanceOf(DatasetException.class)
                .hasMessageContaining("pictures: was");

        Fit.run(options("stopped.onnx"));
        assertThat(said()).contains("resuming at step 7, saved ");
        shouldHaveTheSameWeights("whole.onnx", "stopped.onnx");
        assertThat(losses("stopped.metrics.jsonl")).isEqualTo(losses("whole.metrics.jsonl"));
    }

    @Test
    void shouldGoOnWithHalvesAndWithNothingElse() throws Exception {
        Fit.run(options("whole.onnx").features(f -> f.withPrecision(FeatureType.FLOAT16)));
        int[] asked = {0};
        assertThatThrownBy(() -> Fit.run(options("stopped.onnx")
                        .features(f -> f.withPrecision(FeatureType.FLOAT16))
                        .session(s -> s.withStopWhen(
                                () -> Files.exists(dir.resolve("stopped.metrics.jsonl")) && ++asked[0] > 5))))
                .isInstanceOf(CancellationException.class);
        assertThatThrownBy(() -> Fit.run(options("stopped.onnx")))
                .isInstanceOf(DatasetException.class)
                .hasMessageContaining("cache precision: was float16, is not given");
        Fit.run(options("stopped.onnx").features(f -> f.withPrecision(FeatureType.FLOAT16)));
        assertThat(said()).contains("resuming at step 5", "images were known already");
        shouldHaveTheSameWeights("whole.onnx", "stopped.onnx");
        assertThat(losses("stopped.metrics.jsonl")).isEqualTo(losses("whole.metrics.jsonl"));
        assertThat(Checkpoint.read(dir.resolve("whole.onnx")).info().properties())
                .containsEntry("linesight.provenance.cachePrecision", "float16");
        Fit.run(options("exact.onnx"));
        assertThat(losses("exact.metrics.jsonl")).as("rounding is seen").isNotEqualTo(losses("whole.metrics.jsonl"));
        assertThat(losses("exact.metrics.jsonl").get(0))
                .as("and little")
                .isCloseTo(
                        losses("whole.metrics.jsonl").get(0),
                        within(1e-2 * losses("whole.metrics.jsonl").get(0)));
    }

    /**
     * Stands in for a GPU, which no machine of ours has: host and device are two places, and the kernel works on the
     * host's.
     */
    @Test
    void shouldTrainTheSameWhereHostAndDeviceAreNotTheSameMemory() throws Exception {
        FitResult whole = Fit.run(options("whole.onnx"));
        Process p = FitProcess.startCopying(dir.resolve("m.onnx"), dir.resolve("log"));
        try {
            assertThat(p.waitFor(180, TimeUnit.SECONDS)).isTrue();
        } finally {
            p.destroyForcibly();
        }
        assertThat(Files.readString(dir.resolve("log"))).contains("finished with loss " + whole.lastLoss());
    }

    @Test
    void shouldRefuseADamagedStateAndBeginAnewWhenTold() throws Exception {
        int[] asked = {0};
        FitOptions stopping = options("m.onnx")
                .session(s -> s.withStopWhen(() -> Files.exists(dir.resolve("m.metrics.jsonl")) && ++asked[0] > 3));
        assertThatThrownBy(() -> Fit.run(stopping)).isInstanceOf(CancellationException.class);
        Path run = dir.resolve("m.onnx.fit");
        try (var files = Files.list(run)) {
            Path weights = files.filter(f -> f.getFileName().toString().startsWith("weights-"))
                    .findFirst()
                    .orElseThrow();
            byte[] bytes = Files.readAllBytes(weights);
            bytes[bytes.length / 2] ^= 1;
            Files.write(weights, bytes);
        }
        assertThatThrownBy(() -> Fit.run(options("m.onnx")))
                .isInstanceOf(DatasetException.class)
                .hasMessageContaining("is not what was written")
                .hasMessageContaining("--fresh");
        FitResult result =
                Fit.run(options("m.onnx").output(o -> o.withFresh(true)).training(t -> t.withEpochs(1)));
        assertThat(result.steps()).isEqualTo(3);
        assertThat(losses("m.metrics.jsonl")).hasSize(3);
        assertThat(run).doesNotExist();
    }

    @Test
    void shouldNotLetTwoRunsWorkOnOneCheckpoint() throws Exception {
        try (SavedRun other = SavedRun.open(dir.resolve("m.onnx.fit"))) {
            assertThatThrownBy(() -> Fit.run(options("m.onnx")))
                    .isInstanceOf(DatasetException.class)
                    .hasMessageContaining("another fit is working");
        }
        assertThat(dir.resolve("m.onnx.fit")).as("nothing was saved").doesNotExist();
    }
}

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
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Training that is killed, stopped or hindered, and goes on. */
class ResumeIT {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** What all others are compared with: a run that nothing hinders. */
    private static Path undisturbed;

    private static FitResult whole;

    @TempDir
    Path dir;

    private final ByteArrayOutputStream said = new ByteArrayOutputStream();

    @BeforeAll
    static void trainUndisturbed(@TempDir Path folder) throws Exception {
        undisturbed = folder;
        whole = Fit.run(FitProcess.options(folder.resolve("whole.onnx"))
                .session(s -> s.withProgress(new PrintStream(OutputStream.nullOutputStream()))));
        assertThat(folder.resolve("whole.onnx.fit")).doesNotExist();
    }

    private FitOptions options(String name) {
        return FitProcess.options(dir.resolve(name))
                .session(s -> s.withProgress(new PrintStream(said, true, StandardCharsets.UTF_8)));
    }

    private String said() {
        return said.toString(StandardCharsets.UTF_8);
    }

    private List<Double> losses(String metrics) throws Exception {
        return losses(dir.resolve(metrics));
    }

    private static List<Double> losses(Path metrics) throws Exception {
        List<Double> losses = new ArrayList<>();
        for (String line : Files.readAllLines(metrics)) {
            JsonNode n = JSON.readTree(line);
            assertThat(n.get("step").asInt()).as("every step once").isEqualTo(losses.size() + 1);
            losses.add(n.get("loss").asDouble());
        }
        return losses;
    }

    private void shouldBeAsUndisturbed(String name) throws Exception {
        shouldHaveTheSameWeights(undisturbed.resolve("whole.onnx"), dir.resolve(name + ".onnx"));
        assertThat(losses(name + ".metrics.jsonl")).isEqualTo(losses(undisturbed.resolve("whole.metrics.jsonl")));
    }

    private static void shouldHaveTheSameWeights(Path a, Path b) throws Exception {
        Weights first = Checkpoint.read(a).weights();
        Weights second = Checkpoint.read(b).weights();
        assertThat(first.names()).isEqualTo(second.names());
        for (String name : first.names())
            assertThat(second.get(name).data())
                    .as(name)
                    .isEqualTo(first.get(name).data());
    }

    private int steps(Path metrics) throws Exception {
        return Files.exists(metrics) ? Files.readAllLines(metrics).size() : 0;
    }

    /** Whether a life has come far enough to be killed. */
    private boolean begun(Path run, boolean first, int enough) throws Exception {
        return first
                ? Files.isDirectory(run.resolve("features"))
                : steps(dir.resolve("killed.metrics.jsonl")) >= enough;
    }

    private static boolean isSaving(Path run) throws Exception {
        try (Stream<Path> files = Files.list(run)) {
            return files.map(f -> f.getFileName().toString())
                    .anyMatch(name -> name.startsWith("optimiser-") || name.endsWith(".part"));
        }
    }

    @Test
    void shouldGiveTheSameModelHoweverOftenItIsKilled() throws Exception {
        shouldGiveTheSameModelAfterKills(3, 3, 2);
    }

    @Test
    @Tag("full")
    void shouldGiveTheSameModelHoweverOftenItIsKilledAtRandom() throws Exception {
        long seed = new Random().nextLong();
        System.out.println("ResumeIT: seed " + seed);
        shouldGiveTheSameModelAfterKills(seed, 6, 4);
    }

    /** @param minKills a run may come to its end before the last kill */
    private void shouldGiveTheSameModelAfterKills(long seed, int maxKills, int minKills) throws Exception {
        Path out = dir.resolve("killed.onnx");
        Path run = dir.resolve("killed.onnx.fit");
        Path log = dir.resolve("log");
        Random random = new Random(seed);
        int kills = 0;
        int duringSave = 0;
        int before = -1;
        while (true) {
            Process p = FitProcess.start(out, log, List.of());
            try {
                if (kills < maxKills) {
                    // While images are encoded, early in training, while a state is saved, anywhere.
                    int enough = before + 1 + random.nextInt(3);
                    boolean saving = kills % 2 == 1;
                    boolean first = kills == 0;
                    Awaitility.await()
                            .atMost(Duration.ofSeconds(120))
                            .pollInterval(Duration.ofMillis(1))
                            .until(() -> !p.isAlive() || begun(run, first, enough) && (!saving || isSaving(run)));
                    if (!saving) p.waitFor(random.nextInt(40), TimeUnit.MILLISECONDS);
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
        assertThat(kills).as(text).isGreaterThanOrEqualTo(minKills);
        assertThat(duringSave).isGreaterThanOrEqualTo(1);
        assertThat(text)
                .contains("resuming at step")
                .contains("images were known already")
                .contains("finished with loss " + whole.lastLoss());
        shouldBeAsUndisturbed("killed");
        assertThat(run).doesNotExist();
    }

    @Test
    void shouldStopWhenAskedAndResumeFromThere() throws Exception {
        int[] asked = {0};
        // Asked before every image and batch too: in the middle of training, one validation done.
        assertThatThrownBy(() -> Fit.run(options("stopped.onnx")
                        .output(o -> o.withSaveEvery(Duration.ofHours(1)))
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
        shouldBeAsUndisturbed("stopped");
    }

    @Test
    @Tag("full")
    void shouldResumeOnlyWithSameFeaturePrecision() throws Exception {
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
        shouldHaveTheSameWeights(dir.resolve("whole.onnx"), dir.resolve("stopped.onnx"));
        assertThat(losses("stopped.metrics.jsonl")).isEqualTo(losses("whole.metrics.jsonl"));
        assertThat(Checkpoint.read(dir.resolve("whole.onnx")).info().properties())
                .containsEntry("linesight.provenance.cachePrecision", "float16");
        List<Double> exact = losses(undisturbed.resolve("whole.metrics.jsonl"));
        assertThat(exact).as("rounding is seen").isNotEqualTo(losses("whole.metrics.jsonl"));
        assertThat(exact.get(0))
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
    @Tag("full")
    void shouldTrainTheSameWhereHostAndDeviceAreNotTheSameMemory() throws Exception {
        FitResult copied = Fit.run(FitProcess.copyingOptions(dir.resolve("whole.onnx"))
                .session(x -> x.withProgress(new PrintStream(said, true, StandardCharsets.UTF_8))));
        Process p = FitProcess.startCopying(dir.resolve("m.onnx"), dir.resolve("log"));
        try {
            assertThat(p.waitFor(180, TimeUnit.SECONDS)).isTrue();
        } finally {
            p.destroyForcibly();
        }
        assertThat(Files.readString(dir.resolve("log"))).contains("finished with loss " + copied.lastLoss());
    }

    @Test
    void shouldRejectDamagedStateAndStartOverWhenTold() throws Exception {
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

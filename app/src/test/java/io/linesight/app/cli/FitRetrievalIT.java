package io.linesight.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.linesight.mmad.checkpoint.Checkpoint;
import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.mmad.score.OrtScorer;
import io.linesight.mmad.score.SelfTest;
import io.linesight.simulator.Lamp;
import io.linesight.simulator.SimulatedDataset;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** {@code fit --method retrieval} on a few simulated images, and what the other commands make of its checkpoint. */
class FitRetrievalIT {
    @TempDir
    static Path dir;

    private static Path parts;
    private static Path model;
    private static String said;

    private record Run(int exit, String out, String err) {}

    private static Run run(Object... args) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine line = Linesight.commandLine();
        line.setOut(new PrintWriter(out, true));
        line.setErr(new PrintWriter(err, true));
        List<String> all = new ArrayList<>();
        for (Object a : args) all.add(String.valueOf(a));
        return new Run(line.execute(all.toArray(String[]::new)), out.toString(), err.toString());
    }

    @BeforeAll
    static void fit() throws IOException {
        parts = dir.resolve("parts");
        SimulatedDataset.export(parts, List.of("fabric", "flange"), 14, 8, 3, Lamp.TUBE);
        model = dir.resolve("m.onnx");
        Run fit = run("fit", "--data", parts, "--method", "retrieval", "--threads", 2, "--out", model);
        assertThat(fit.exit()).as(fit.err()).isZero();
        said = fit.out();
    }

    @Test
    void shouldSayWhatItMadeAndWriteItDown() throws IOException {
        CheckpointInfo info = Checkpoint.read(model).info();
        assertThat(said)
                .contains(info.version())
                .contains("20 images remembered, 0 left out, a memory of ")
                .contains(" MB")
                .contains(
                        "Images are scored without their group for the thresholds (--group-by): fabric 5 groups of 10 "
                                + "images by similarity, flange 5 groups of 10 images by similarity")
                .contains("Fewer than 50 groups show no tail")
                .contains("fabric, flange");
        assertThat(info.properties())
                .containsEntry("linesight.method", "retrieval")
                .containsEntry("linesight.provenance.remembered", "20")
                .containsEntry("linesight.provenance.neighbours", "50")
                .containsEntry("linesight.provenance.images", "20")
                .containsKeys("linesight.provenance.trainingSeconds", SelfTest.PROPERTY);
        assertThat(info.calibration().byProduct()).containsOnlyKeys("fabric", "flange");
        assertThat(info.properties().get("linesight.provenance.command")).contains("--method retrieval");
        try (OrtScorer scorer =
                OrtScorer.open(model, ScorerOptions.defaults().withDevice("cpu").withThreads(1))) {
            SelfTest.check(scorer);
        }
    }

    @Test
    void shouldRejectGroupsThatCannotBeReadBeforeAnyImageIs() {
        Run fit = run(
                "fit", "--data", parts, "--method", "retrieval", "--group-by", "part(", "--out", dir.resolve("n.onnx"));
        assertThat(fit.exit()).isEqualTo(2);
        assertThat(fit.err()).contains("--group-by takes auto, none, stem, similarity or a regular expression");
        Run mmad = run("fit", "--data", parts, "--group-by", "stem", "--minutes", 1, "--out", dir.resolve("n.onnx"));
        assertThat(mmad.exit()).isEqualTo(2);
        assertThat(mmad.err()).contains("--group-by has no meaning");
    }

    @Test
    void shouldFindDefectsWhenEvaluated() throws IOException {
        Path json = dir.resolve("figures.json");
        Path heatmaps = dir.resolve("heatmaps");
        Run evaluate = run(
                "evaluate",
                "--data",
                parts,
                "--model",
                model,
                "--device",
                "cpu",
                "--threads",
                2,
                "--json",
                json,
                "--heatmaps",
                heatmaps,
                "--report",
                dir.resolve("report"));
        assertThat(evaluate.exit()).as(evaluate.err()).isZero();
        JsonNode mean = new ObjectMapper().readTree(json.toFile()).get("mean");
        assertThat(mean.get("pixelAuroc").asDouble()).isGreaterThan(0.9);
        assertThat(mean.get("imageAuroc").asDouble()).isGreaterThan(0.9);
        assertThat(dir.resolve("report/report.html")).exists();
        try (var files = Files.walk(heatmaps)) {
            assertThat(files.filter(f -> f.toString().endsWith(".png"))).hasSize(16);
        }
    }

    @Test
    void shouldNameTheNearestGoodImage() throws IOException {
        Path image;
        try (var files = Files.list(parts.resolve("flange/test/good"))) {
            image = files.sorted().findFirst().orElseThrow();
        }
        Run text = run("score", "--model", model, "--device", "cpu", "--nearest", image);
        assertThat(text.exit()).as(text.err()).isZero();
        assertThat(text.out()).containsPattern(image.getFileName() + "  flange/\\S+  \\d+\\.\\d\\d");
        Run json = run("score", "--model", model, "--device", "cpu", "--nearest", "--json", image);
        JsonNode nearest =
                new ObjectMapper().readTree(json.out()).get("images").get(0).get("nearest");
        assertThat(nearest.get("product").asText()).isEqualTo("flange");
        assertThat(parts.resolve("flange/train").resolve(nearest.get("name").asText()))
                .exists();
        assertThat(nearest.get("distance").asDouble()).isBetween(0.01, 10.0);
    }

    @Test
    void shouldSayThatOtherCheckpointsRememberNoImages() throws IOException {
        Path other = dir.resolve("patchcore.onnx");
        assertThat(run(
                                "fit",
                                "--data",
                                parts,
                                "--categories",
                                "fabric",
                                "--method",
                                "patchcore",
                                "--bank",
                                64,
                                "--encoder",
                                "filters",
                                "--out",
                                other)
                        .exit())
                .isZero();
        Run score = run("score", "--model", other, "--device", "cpu", "--nearest", parts.resolve("fabric/test/good"));
        assertThat(score.exit()).isEqualTo(1);
        assertThat(score.err()).contains("remembers no images").contains("fit --method retrieval");
    }

    @Test
    void shouldRememberFewerImagesInFewerDimensions() throws IOException {
        Path small = dir.resolve("small.onnx");
        Run fit = run(
                "fit",
                "--data",
                parts,
                "--method",
                "retrieval",
                "--memory-images",
                6,
                "--memory-dimensions",
                32,
                "--neighbours",
                4,
                "--threads",
                2,
                "--out",
                small);
        assertThat(fit.exit()).as(fit.err()).isZero();
        assertThat(fit.out())
                .contains("12 images remembered, 8 left out")
                .containsPattern(
                        "Mean image AUROC on 16 test images: \\d+\\.\\d, with all 20 images remembered \\d+\\.\\d");
        assertThat(Checkpoint.read(small).info().properties())
                .containsEntry("linesight.provenance.dimensions", "32")
                .containsEntry("linesight.provenance.neighbours", "4");
        assertThat(Files.size(small)).isLessThan(Files.size(model));
        Run score = run("score", "--model", small, "--device", "cpu", parts.resolve("flange/test/good"));
        assertThat(score.exit()).as(score.err()).isZero();
    }

    @Test
    void shouldRejectItAsStartingPoint() {
        Path out = dir.resolve("further.onnx");
        Run further = run("fit", "--data", parts, "--from", model, "--epochs", 1, "--out", out);
        assertThat(further.exit()).isNotZero();
        assertThat(further.err()).contains("m.onnx was made by retrieval; it cannot be trained further as MMAD");
        assertThat(out).doesNotExist();
    }

    @Test
    void shouldRejectMeaninglessOptions() {
        Path out = dir.resolve("none.onnx");
        Run epochs = run("fit", "--data", parts, "--method", "retrieval", "--epochs", 3, "--bank", 100, "--out", out);
        assertThat(epochs.exit()).isEqualTo(2);
        assertThat(epochs.err()).contains("--epochs has no meaning with --method retrieval");
        Run bank = run("fit", "--data", parts, "--method", "retrieval", "--bank", 100, "--out", out);
        assertThat(bank.err()).contains("--bank has no meaning with --method retrieval");
        Run images = run("fit", "--data", parts, "--memory-images", 100, "--epochs", 1, "--out", out);
        assertThat(images.err()).contains("--memory-images has no meaning but with --method retrieval");
        Run size = run("fit", "--data", parts, "--method", "retrieval", "--memory-images", 0, "--out", out);
        assertThat(size.err()).contains("--memory-images must be 1..50000");
        assertThat(out).doesNotExist();
    }
}

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
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** {@code fit --method patchcore} on a few simulated images, and what the other commands make of its checkpoint. */
class FitPatchCoreIT {
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
        Run fit = run(
                "fit",
                "--data",
                parts,
                "--method",
                "patchcore",
                "--bank",
                400,
                "--seed",
                5,
                "--threads",
                2,
                "--out",
                model);
        assertThat(fit.exit()).as(fit.err()).isZero();
        said = fit.out();
    }

    @Test
    void shouldSayWhatItMadeAndWriteItDown() throws IOException {
        CheckpointInfo info = Checkpoint.read(model).info();
        assertThat(said).contains(info.version()).contains("20 images").contains("a bank of 400 out of 20480 patches");
        assertThat(info.properties())
                .containsEntry("linesight.method", "patchcore")
                .containsEntry("linesight.provenance.bank", "400")
                .containsEntry("linesight.provenance.candidates", "20480")
                .containsEntry("linesight.provenance.seed", "5")
                .containsEntry("linesight.provenance.images", "20")
                .containsKeys("linesight.provenance.trainingSeconds", SelfTest.PROPERTY);
        assertThat(info.calibration().byProduct()).containsOnlyKeys("fabric", "flange");
        assertThat(info.properties().get("linesight.provenance.command")).contains("--method patchcore");
        try (OrtScorer scorer =
                OrtScorer.open(model, ScorerOptions.defaults().withDevice("cpu").withThreads(1))) {
            SelfTest.check(scorer);
        }
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
        assertThat(mean.get("pixelAuroc").asDouble()).isGreaterThan(0.8);
        assertThat(mean.get("imageAuroc").asDouble()).isGreaterThan(0.75);
        assertThat(dir.resolve("report/report.html")).exists();
        try (var files = Files.walk(heatmaps)) {
            assertThat(files.filter(f -> f.toString().endsWith(".png"))).hasSize(16);
        }
    }

    @Test
    void shouldChooseTheSameBankForTheSameSeed() throws IOException {
        Set<String> scores = new TreeSet<>();
        for (int i = 0; i < 2; i++) {
            Path again = dir.resolve("again" + i + ".onnx");
            assertThat(run(
                                    "fit",
                                    "--data",
                                    parts,
                                    "--categories",
                                    "fabric",
                                    "--method",
                                    "patchcore",
                                    "--bank",
                                    100,
                                    "--seed",
                                    9,
                                    "--threads",
                                    1 + i,
                                    "--out",
                                    again)
                            .exit())
                    .isZero();
            scores.add(Checkpoint.read(again).info().calibration().toString());
        }
        assertThat(scores).hasSize(1);
    }

    @Test
    void shouldRejectItAsStartingPoint() {
        Path out = dir.resolve("further.onnx");
        Run further = run("fit", "--data", parts, "--from", model, "--epochs", 1, "--out", out);
        assertThat(further.exit()).isNotZero();
        assertThat(further.err()).contains("m.onnx was made by patchcore; it cannot be trained further as MMAD");
        assertThat(out).doesNotExist();
    }

    @Test
    void shouldRejectMeaninglessOptions() {
        Path out = dir.resolve("none.onnx");
        Run epochs = run("fit", "--data", parts, "--method", "patchcore", "--epochs", 3, "--lr", 0.1, "--out", out);
        assertThat(epochs.exit()).isEqualTo(2);
        assertThat(epochs.err()).contains("--epochs, --lr have no meaning with --method patchcore");
        Run from = run("fit", "--data", parts, "--method", "patchcore", "--from", model, "--out", out);
        assertThat(from.err()).contains("--from has no meaning with --method patchcore");
        Run bank = run("fit", "--data", parts, "--bank", 100, "--epochs", 1, "--out", out);
        assertThat(bank.err()).contains("--bank is for --method patchcore");
        Run size = run("fit", "--data", parts, "--method", "patchcore", "--bank", 3, "--out", out);
        assertThat(size.err()).contains("--bank must be 64..50000");
        Run method = run("fit", "--data", parts, "--method", "padim", "--out", out);
        assertThat(method.err()).contains("--method");
        assertThat(out).doesNotExist();
    }
}

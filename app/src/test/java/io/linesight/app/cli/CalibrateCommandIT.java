package io.linesight.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.demo.line.BundledModel;
import io.linesight.mmad.checkpoint.Calibration;
import io.linesight.mmad.checkpoint.Checkpoint;
import io.linesight.mmad.checkpoint.ProductCalibration;
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

/** The bundled checkpoint's thresholds placed anew on simulated pictures. */
class CalibrateCommandIT {
    @TempDir
    static Path dir;

    private static Path parts;
    private static Path model;
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @BeforeAll
    static void simulate() throws IOException {
        parts = dir.resolve("parts");
        SimulatedDataset.export(parts, List.of("fabric"), 24, 16, 3, Lamp.TUBE);
        model = BundledModel.unpack(dir).orElseThrow();
    }

    private int run(Object... args) {
        CommandLine line = Linesight.commandLine();
        line.setOut(new PrintWriter(out, true));
        line.setErr(new PrintWriter(err, true));
        List<String> all = new ArrayList<>();
        for (Object a : args) all.add(String.valueOf(a));
        return line.execute(all.toArray(String[]::new));
    }

    @Test
    void shouldPlaceThresholdsAndSayWhatTheyRestOn() throws IOException {
        Calibration before = Checkpoint.read(model).info().calibration();
        Path strict = dir.resolve("strict.onnx");
        Path loose = dir.resolve("loose.onnx");
        assertThat(run(
                        "calibrate",
                        model,
                        "--data",
                        parts,
                        "--normals",
                        "train",
                        "--threads",
                        "1",
                        "--device",
                        "cpu",
                        "--false-reject",
                        "0.001",
                        "--out",
                        strict))
                .as(err.toString())
                .isZero();
        assertThat(out.toString()).containsPattern("fabric +student +24 +0 ").contains("version");
        assertThat(err.toString())
                .contains("a rate of 0.10 %", "fabric (24: below 12 %)", "2995 of a product", "as they were:");
        assertThat(run(
                        "calibrate",
                        model,
                        "--data",
                        parts,
                        "--normals",
                        "train",
                        "--threads",
                        "1",
                        "--device",
                        "cpu",
                        "--false-reject",
                        "0.1",
                        "--out",
                        loose))
                .as(err.toString())
                .isZero();
        ProductCalibration s = Checkpoint.read(strict).info().calibration().forProduct("fabric");
        ProductCalibration l = Checkpoint.read(loose).info().calibration().forProduct("fabric");
        assertThat(s.threshold()).isGreaterThan(l.threshold());
        assertThat(s.basis().targetFalseRejectRate()).isEqualTo(0.001);
        assertThat(s.review()).isNotNull();
        Calibration after = Checkpoint.read(strict).info().calibration();
        assertThat(after.fallback()).isEqualTo(before.fallback());
        before.byProduct().forEach((product, c) -> {
            if (!product.equals("fabric"))
                assertThat(after.forProduct(product)).as(product).isEqualTo(c);
        });
        out.getBuffer().setLength(0);
        assertThat(run("models", "show", strict)).isZero();
        assertThat(out.toString()).containsPattern("fabric +student +24 +0 ").contains("0.10 %");
    }

    @Test
    void shouldWarnWhoMeasuresOnWhatHeCalibratedOn() {
        Path fitted = dir.resolve("fitted.onnx");
        assertThat(run(
                        "calibrate",
                        model,
                        "--data",
                        parts,
                        "--normals",
                        "test",
                        "--anomalies",
                        "--threads",
                        "1",
                        "--device",
                        "cpu",
                        "--out",
                        fitted))
                .as(err.toString())
                .isZero();
        assertThat(out.toString()).contains("f1max");
        assertThat(run("evaluate", "--data", parts, "--model", fitted, "--device", "cpu", "--threads", "1"))
                .as(err.toString())
                .isZero();
        assertThat(out.toString()).contains("16 of these images placed the checkpoint's thresholds");
        // Placed anew by others, it is not made to fit these any more.
        assertThat(run(
                        "calibrate",
                        fitted,
                        "--data",
                        parts,
                        "--normals",
                        "train",
                        "--threads",
                        "1",
                        "--device",
                        "cpu",
                        "--out",
                        fitted))
                .as(err.toString())
                .isZero();
        out.getBuffer().setLength(0);
        assertThat(run("evaluate", "--data", parts, "--model", fitted, "--device", "cpu", "--threads", "1"))
                .as(err.toString())
                .isZero();
        assertThat(out.toString()).doesNotContain("placed the checkpoint's thresholds");
        out.getBuffer().setLength(0);
        assertThat(run("evaluate", "--data", parts, "--model", model, "--device", "cpu", "--threads", "1"))
                .as(err.toString())
                .isZero();
        assertThat(out.toString())
                .doesNotContain("placed the checkpoint's thresholds")
                .contains("false alarms");
    }

    @Test
    void shouldLeaveAnExistingFileWholeWhenItRefuses() throws IOException {
        Path there = Files.writeString(dir.resolve("there.onnx"), "mine");
        Path few = dir.resolve("few");
        SimulatedDataset.export(few, List.of("fabric"), 3, 2, 3, Lamp.TUBE);
        assertThat(run("calibrate", model, "--data", few, "--normals", "train", "--device", "cpu", "--out", there))
                .isEqualTo(1);
        assertThat(err.toString()).contains("4 normal images", "fabric=3", "Nothing was written");
        assertThat(run("calibrate", model, "--data", parts, "--false-reject", "0.5", "--out", there))
                .isEqualTo(2);
        assertThat(run("calibrate", model, "--data", parts, "--method", "f1max", "--out", there))
                .isEqualTo(2);
        assertThat(run("calibrate", model, "--data", parts, "--normals", "mine", "--out", there))
                .isEqualTo(2);
        assertThat(run(
                        "calibrate",
                        model,
                        "--data",
                        parts,
                        "--normals",
                        "train",
                        "--method",
                        "evt",
                        "--categories",
                        "board",
                        "--out",
                        there))
                .isEqualTo(1);
        assertThat(Files.readString(there)).isEqualTo("mine");
    }
}

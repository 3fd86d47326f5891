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

/** The bundled checkpoint's thresholds recalibrated on simulated images. */
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

    /** Calibrates a checkpoint on the simulated parts, on one thread. */
    private int calibrate(Path checkpoint, Path to, Object... more) {
        List<Object> args = new ArrayList<>(
                List.of("calibrate", checkpoint, "--data", parts, "--threads", 1, "--device", "cpu", "--out", to));
        args.addAll(List.of(more));
        return run(args.toArray());
    }

    private int evaluate(Path checkpoint) {
        return run("evaluate", "--data", parts, "--model", checkpoint, "--device", "cpu", "--threads", 1);
    }

    /** Runs a command; {@link #out} has only what this one printed, {@link #err} what all of a test printed. */
    private int run(Object... args) {
        out.getBuffer().setLength(0);
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
        assertThat(calibrate(model, strict, "--normals", "train", "--false-reject", "0.001"))
                .as(err.toString())
                .isZero();
        assertThat(out.toString()).containsPattern("fabric +student +24 +0 ").contains("version");
        assertThat(err.toString())
                .contains("a rate of 0.10 %", "fabric (24: below 12 %)", "2995 of a product", "as they were:");
        assertThat(calibrate(model, loose, "--normals", "train", "--false-reject", "0.1"))
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
        assertThat(run("models", "show", strict)).isZero();
        assertThat(out.toString()).containsPattern("fabric +student +24 +0 ").contains("0.10 %");
    }

    @Test
    void shouldWarnWhoMeasuresOnWhatHeCalibratedOn() {
        Path fitted = dir.resolve("fitted.onnx");
        assertThat(calibrate(model, fitted, "--normals", "test", "--anomalies"))
                .as(err.toString())
                .isZero();
        assertThat(out.toString()).contains("f1max");
        assertThat(evaluate(fitted)).as(err.toString()).isZero();
        assertThat(out.toString()).contains("16 of these images placed the checkpoint's thresholds");
        // Recalibrated with others, it is not made to fit these any more.
        assertThat(calibrate(fitted, fitted, "--normals", "train"))
                .as(err.toString())
                .isZero();
        assertThat(evaluate(fitted)).as(err.toString()).isZero();
        assertThat(out.toString()).doesNotContain("placed the checkpoint's thresholds");
        assertThat(evaluate(model)).as(err.toString()).isZero();
        assertThat(out.toString())
                .doesNotContain("placed the checkpoint's thresholds")
                .contains("false alarms");
    }

    @Test
    void shouldLeaveExistingFileWholeWhenItRejects() throws IOException {
        Path there = Files.writeString(dir.resolve("there.onnx"), "mine");
        Path few = dir.resolve("few");
        SimulatedDataset.export(few, List.of("fabric"), 3, 2, 3, Lamp.TUBE);
        assertThat(run("calibrate", model, "--data", few, "--normals", "train", "--device", "cpu", "--out", there))
                .isEqualTo(1);
        assertThat(err.toString()).contains("4 normal images", "fabric=3", "Nothing was written");
        assertThat(calibrate(model, there, "--false-reject", "0.5")).isEqualTo(2);
        assertThat(calibrate(model, there, "--method", "f1max")).isEqualTo(2);
        assertThat(calibrate(model, there, "--normals", "mine")).isEqualTo(2);
        assertThat(calibrate(model, there, "--normals", "train", "--method", "evt", "--categories", "board"))
                .isEqualTo(1);
        assertThat(Files.readString(there)).isEqualTo("mine");
    }
}

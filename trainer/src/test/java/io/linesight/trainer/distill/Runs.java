package io.linesight.trainer.distill;

import io.linesight.mmad.encoder.FilterBankEncoder;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Distillations that take seconds: a student of a few channels, crops of 32 pixels, made-up scenes alone. The rate is
 * high so that the few steps, all in the warm-up, move the weights by far more than the tests' tolerance.
 */
final class Runs {
    static final Architecture SMALL = new Architecture(4, List.of(6, 8, 10), List.of(1, 1, 1));

    private Runs() {}

    /** Writes the teacher. */
    static Path teacher(Path dir) throws IOException {
        return Files.write(
                dir.resolve("teacher.onnx"), FilterBankEncoder.create().onnx());
    }

    static DistillOptions options(Path teacher, Path dir, String name) {
        return DistillOptions.of(List.of(teacher), dir.resolve(name + ".onnx"), dir.resolve(name))
                .with(new DistillOptions.Measuring(16, 4))
                .machine(m -> DistillOptions.Machine.of(1, 1))
                .machine(m -> m.withStudent(SMALL))
                .training(t -> t.withBatch(4).withCrop(32).withSeed(5).withLearningRate(0.5))
                .session(s -> s.withProgress(new PrintStream(new ByteArrayOutputStream())));
    }
}

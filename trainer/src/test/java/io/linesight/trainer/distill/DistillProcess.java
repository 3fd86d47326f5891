package io.linesight.trainer.distill;

import io.linesight.embedded.JavaProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A distillation in a process of its own, to be killed. */
final class DistillProcess {
    /** More than it gets to. */
    static final long STEPS = 2000;

    private DistillProcess() {}

    static DistillOptions options(Path teacher, Path dir, String name) {
        return Runs.options(teacher, dir, name)
                .training(t -> t.withBatch(2).withLearningRate(0.05).withSteps(STEPS))
                .output(o -> o.withSaveSeconds(0.2));
    }

    static Process start(Path teacher, Path dir, String name, Path log) throws IOException {
        return JavaProcess.start(
                List.of(),
                List.of("-Xmx400m", "-XX:TieredStopAtLevel=1"),
                DistillProcess.class,
                List.of(teacher.toString(), dir.toString(), name),
                log);
    }

    public static void main(String[] args) throws IOException {
        // An orphan must not go on for ever.
        ProcessHandle.current().parent().ifPresent(p -> p.onExit()
                .thenRun(() -> Runtime.getRuntime().halt(3)));
        Path dir = Path.of(args[1]);
        Files.createDirectories(dir);
        Distill.run(options(Path.of(args[0]), dir, args[2]).session(s -> s.withProgress(System.out)));
    }
}

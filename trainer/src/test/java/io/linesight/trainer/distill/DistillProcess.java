package io.linesight.trainer.distill;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A distillation in a process of its own, to be killed. */
final class DistillProcess {
    /** More than it gets to. */
    static final long STEPS = 2000;

    private DistillProcess() { }

    static DistillOptions.Builder options(Path teacher, Path dir, String name) {
        return Runs.options(teacher, dir, name).batch(2).saveSeconds(0.2).learningRate(0.05).steps(STEPS);
    }

    static Process start(Path teacher, Path dir, String name, Path log) throws IOException {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx400m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                "--add-modules", "jdk.incubator.vector", "-Dorg.bytedeco.javacpp.maxPhysicalBytes=0", DistillProcess.class.getName(), teacher.toString(), dir.toString(), name));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
        // Not as an argument: ONNX Runtime does not survive a long command line.
        builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
        builder.environment().put("MALLOC_ARENA_MAX", "4");
        return builder.start();
    }

    public static void main(String[] args) throws IOException {
        // An orphan must not go on for ever.
        ProcessHandle.current().parent().ifPresent(p -> p.onExit().thenRun(() -> Runtime.getRuntime().halt(3)));
        Path dir = Path.of(args[1]);
        Files.createDirectories(dir);
        Distill.run(options(Path.of(args[0]), dir, args[2]).progress(System.out).build());
    }
}

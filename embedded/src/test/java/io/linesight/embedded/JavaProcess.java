package io.linesight.embedded;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Starts test code in a JVM of its own, so that it can be killed. */
public final class JavaProcess {
    private JavaProcess() {}

    /**
     * Starts a main class with this JVM's class path.
     *
     * @param wrapped what the JVM is started by, such as unshare; may be empty
     * @param options of the JVM, beside those that scoring and training need
     * @param log what it prints is added to it
     */
    public static Process start(
            List<String> wrapped, List<String> options, Class<?> main, List<String> arguments, Path log)
            throws IOException {
        List<String> command = new ArrayList<>(wrapped);
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(
                "-XX:+UseSerialGC",
                "--add-modules",
                "jdk.incubator.vector",
                "-Dorg.bytedeco.javacpp.maxPhysicalBytes=0"));
        command.addAll(options);
        command.add(main.getName());
        command.addAll(arguments);
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
        // Not as an argument: ONNX Runtime does not survive a long command line.
        builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
        builder.environment().put("MALLOC_ARENA_MAX", "4"); // as the launcher does
        return builder.start();
    }
}

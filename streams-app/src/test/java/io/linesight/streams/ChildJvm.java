package io.linesight.streams;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A program in a JVM of its own, with its output in a file. */
public final class ChildJvm implements AutoCloseable {
    final Path log;
    private final Process process;
    private final long from;

    /** A JVM that starts quickly. */
    public ChildJvm(Path log, Class<?> main, String... args) throws IOException {
        this(log, List.of("-Xmx256m", "-XX:TieredStopAtLevel=1"), main, args);
    }

    /** @param log is appended to */
    public ChildJvm(Path log, List<String> options, Class<?> main, String... args) throws IOException {
        this(log, List.of(), options, main, args);
    }

    /** @param wrapper command that the JVM's is appended to, and that becomes the JVM */
    public ChildJvm(Path log, List<String> wrapper, List<String> options, Class<?> main, String... args)
            throws IOException {
        this.log = log;
        from = Files.exists(log) ? Files.size(log) : 0;
        List<String> command = new ArrayList<>(wrapper);
        command.addAll(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "--add-modules",
                "jdk.incubator.vector",
                "-Dorg.bytedeco.javacpp.maxPhysicalBytes=0"));
        command.addAll(options);
        command.add(main.getName());
        command.addAll(List.of(args));
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
        // Not as an argument: ONNX Runtime does not survive a long command line.
        builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
        builder.environment().put("MALLOC_ARENA_MAX", "4"); // as the launcher does
        process = builder.start();
    }

    /** What this process has said. */
    public String said() {
        try {
            byte[] all = Files.readAllBytes(log);
            return new String(all, (int) from, all.length - (int) from);
        } catch (IOException e) {
            return log + " cannot be read: " + e;
        }
    }

    public void awaitSaying(String text) throws InterruptedException {
        Desk.await(() -> said().contains(text) || !process.isAlive(), () -> "'" + text + "' in\n" + said());
        assertThat(said()).contains(text);
    }

    /** One letter to its standard input. */
    public void tell(char letter) throws IOException {
        process.getOutputStream().write(letter);
        process.getOutputStream().flush();
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    public long pid() {
        return process.pid();
    }

    /** SIGTERM. */
    public void terminate() {
        process.destroy();
    }

    /** SIGKILL: no hook runs, nothing is flushed. */
    public void kill() throws InterruptedException {
        assertThat(process.isAlive())
                .as("died before it was killed:\n%s", said())
                .isTrue();
        process.destroyForcibly().waitFor();
    }

    /** Whether it ends of itself in that time. */
    public boolean endsWithin(Duration time) throws InterruptedException {
        return process.waitFor(time.toMillis(), TimeUnit.MILLISECONDS);
    }

    public int awaitExit() throws InterruptedException {
        if (!process.waitFor(Desk.TIMEOUT.toSeconds(), TimeUnit.SECONDS))
            throw new AssertionError("still runs:\n" + said());
        return process.exitValue();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}

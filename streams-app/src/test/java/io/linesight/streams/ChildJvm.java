package io.linesight.streams;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.embedded.JavaProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
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
        process = JavaProcess.start(wrapper, options, main, List.of(args), log);
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

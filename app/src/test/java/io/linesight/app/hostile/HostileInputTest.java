package io.linesight.app.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/**
 * Feeds damaged and hostile input to everything that reads what others may have written. Every input must be taken or
 * be rejected with a reason, by the exception that the reader promises, soon, and without memory that the input's size
 * does not explain.
 *
 * <p>{@code -Dfuzz.cases} (cases per target, 250 and with {@code -Pfull} 850), {@code -Dfuzz.seed} (1),
 * {@code -Dfuzz.target} (one alone), {@code -Dfuzz.keep} (folder for the inputs that failed). Of a run with the same
 * seed and number, every input is the same.
 */
class HostileInputTest {
    private static final long MAX_CPU_NANOS = 2_000_000_000L;
    private static final long MAX_WALL_NANOS = 20_000_000_000L;

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private final List<String> failures = new ArrayList<>();
    private final Set<String> kinds = new HashSet<>();

    @TempDir
    Path work;

    private static final class Row {
        private long cases;
        private long accepted;
        private long rejected;
        private long failed;
        private long maxBytes;
        private long maxNanos;
    }

    @Test
    @EnabledIfSystemProperty(named = "fuzz.write", matches = ".+")
    void shouldWriteTheSeeds() throws Exception {
        Corpus.write(Path.of(System.getProperty("fuzz.write")));
    }

    @Test
    void shouldAcceptOrRejectTheCorpusAndSomeMutations() throws Exception {
        attackAll(Integer.getInteger("fuzz.cases", 250));
    }

    @Test
    @Tag("full")
    void shouldAcceptOrRejectWhateverComes() throws Exception {
        attackAll(Integer.getInteger("fuzz.cases", 850));
    }

    /** @param cases of every target, the corpus among them, which is always tried as a whole */
    private void attackAll(int cases) throws Exception {
        // Thousands of rejections would fill the log.
        Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        Level before = root.getLevel();
        root.setLevel(Level.OFF);
        String only = System.getProperty("fuzz.target");
        Map<String, Row> rows = new TreeMap<>();
        try (Targets targets = new Targets(work, Corpus.FOLDER.resolve("key-file/seed-public.pem"))) {
            List<Target> all = targets.all();
            assertThat(new TreeSet<>(Corpus.targets()))
                    .as("folders of the corpus")
                    .isEqualTo(new TreeSet<>(all.stream().map(Target::name).toList()));
            for (Target t : all) if (only == null || only.equals(t.name())) rows.put(t.name(), attack(t, cases));
        } finally {
            root.setLevel(before);
        }
        String table = table(rows);
        System.out.println(table);
        assertThat(rows).as("targets called " + only).isNotEmpty();
        assertThat(failures).as(table).isEmpty();
        for (Map.Entry<String, Row> e : rows.entrySet()) {
            assertThat(e.getValue().accepted)
                    .as("inputs that " + e.getKey() + " accepts")
                    .isPositive();
            assertThat(e.getValue().rejected)
                    .as("inputs that " + e.getKey() + " rejects")
                    .isPositive();
        }
    }

    private Row attack(Target target, int cases) throws IOException {
        Row row = new Row();
        Map<String, byte[]> corpus = Corpus.of(target.name());
        List<byte[]> contents = List.copyOf(corpus.values());
        List<String> names = List.copyOf(corpus.keySet());
        // Loading classes and libraries is not the input's doing.
        for (int i = 0; i < names.size(); i++) if (names.get(i).startsWith("seed")) runQuietly(target, contents.get(i));
        for (int i = 0; i < names.size(); i++) one(target, contents.get(i), names.get(i), row);
        Mutator mutator =
                new Mutator(Long.getLong("fuzz.seed", 1L) * 31 + target.name().hashCode());
        for (int i = names.size(); i < cases; i++) {
            int seed = i % names.size();
            byte[] input = mutator.mutate(
                    contents.get(seed), contents, target.format().of(names.get(seed), contents.get(seed)));
            one(target, input, names.get(seed) + ", case " + i, row);
        }
        return row;
    }

    private static void runQuietly(Target target, byte[] input) {
        try {
            target.attack().run(input);
        } catch (Throwable e) {
            // it is told when it counts
        }
    }

    private void one(Target target, byte[] input, String name, Row row) throws IOException {
        row.cases++;
        long bytes = allocated(target.threads());
        long cpu = threads.getCurrentThreadCpuTime();
        long wall = System.nanoTime();
        String problem = null;
        Throwable thrown = null;
        try {
            String reason = target.attack().run(input);
            if (reason == null) row.accepted++;
            else if (reason.isBlank()) problem = "rejected without a reason";
            else row.rejected++;
        } catch (Throwable e) {
            thrown = e;
            if (!target.rejects(e)) problem = "threw " + e;
            else if (e.getMessage() == null || e.getMessage().isBlank())
                problem = "rejected without a reason: " + e.getClass().getName();
            else row.rejected++;
        }
        cpu = threads.getCurrentThreadCpuTime() - cpu;
        wall = System.nanoTime() - wall;
        bytes = allocated(target.threads()) - bytes;
        row.maxBytes = Math.max(row.maxBytes, bytes);
        row.maxNanos = Math.max(row.maxNanos, cpu);
        if (problem == null && (cpu > MAX_CPU_NANOS || wall > MAX_WALL_NANOS) && isSlowAgain(target, input))
            problem = "took " + cpu / 1_000_000 + " ms of processor time, " + wall / 1_000_000 + " ms in all";
        if (problem == null && bytes > target.bound(input.length))
            problem = "allocated " + (bytes >> 20) + " MiB for " + input.length + " bytes";
        if (problem == null) return;
        row.failed++;
        String kept = kept(target, input, row.failed);
        // One of every kind is enough to read.
        if (kinds.add(target.name() + " "
                + (thrown == null ? problem.replaceAll("[0-9]+", "") : thrown.getClass() + place(thrown)))) {
            failures.add(target.name() + " (" + name + "): " + problem + kept + stack(thrown) + "\n");
        }
    }

    /**
     * Code that runs for the first time, on a machine that is busy, is slow once; a hostile input is slow every time.
     */
    private boolean isSlowAgain(Target target, byte[] input) {
        long cpu = threads.getCurrentThreadCpuTime();
        runQuietly(target, input);
        return threads.getCurrentThreadCpuTime() - cpu > MAX_CPU_NANOS;
    }

    /** Where of ours it came from. */
    private static String place(Throwable e) {
        for (StackTraceElement s : e.getStackTrace())
            if (s.getClassName().startsWith("io.linesight")) return " at " + s;
        return "";
    }

    /** Bytes allocated by this thread, or by all that live. */
    private long allocated(boolean all) {
        if (!all) return threads.getThreadAllocatedBytes(Thread.currentThread().getId());
        long sum = 0;
        for (long b : threads.getThreadAllocatedBytes(threads.getAllThreadIds())) sum += Math.max(0, b);
        return sum;
    }

    private static String kept(Target target, byte[] input, long number) throws IOException {
        String folder = System.getProperty("fuzz.keep");
        if (folder == null) return "; keep the input with -Dfuzz.keep=FOLDER";
        Path file =
                Files.createDirectories(Path.of(folder).resolve(target.name())).resolve("failed-" + number);
        Files.write(file, input);
        return "; kept as " + file;
    }

    private static String stack(Throwable e) {
        if (e == null) return "";
        StringWriter out = new StringWriter();
        e.printStackTrace(new PrintWriter(out));
        return out.toString().lines().limit(9).reduce("", (a, b) -> a + "\n    " + b);
    }

    private static String table(Map<String, Row> rows) {
        StringBuilder out = new StringBuilder(String.format(
                "%n%-16s %9s %9s %9s %7s %13s %12s%n",
                "target", "cases", "accepted", "rejected", "failed", "max memory", "max time"));
        Row sum = new Row();
        rows.forEach((name, r) -> {
            line(out, name, r);
            sum.cases += r.cases;
            sum.accepted += r.accepted;
            sum.rejected += r.rejected;
            sum.failed += r.failed;
            sum.maxBytes = Math.max(sum.maxBytes, r.maxBytes);
            sum.maxNanos = Math.max(sum.maxNanos, r.maxNanos);
        });
        line(out, "all", sum);
        return out.toString();
    }

    private static void line(StringBuilder out, String name, Row r) {
        out.append(String.format(
                "%-16s %9d %9d %9d %7d %9.1f MiB %9.0f ms%n",
                name, r.cases, r.accepted, r.rejected, r.failed, r.maxBytes / 1048576.0, r.maxNanos / 1e6));
    }
}

package io.linesight.streams;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.embedded.SharedPlatform;
import io.linesight.schemas.DeadLetterReason;
import io.linesight.schemas.InspectionResult;
import io.linesight.streams.config.InspectionConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Two instances of the inspection app in JVMs of their own are halted at random while frames arrive, and started again.
 * In the end every frame has exactly one result and every bad record exactly one dead letter, in the order of the
 * camera. This is what breaks when the drain no longer runs before the commit.
 */
@Timeout(600)
class CrashIT {

    private static final int PARTITIONS = 4;
    private static final int CAMERAS = 8;
    private static final int BAD_EVERY = 25;
    /** Frames of every camera that arrive between two halts, at most. */
    private static final int MAX_FRAMES_BETWEEN_HALTS = 250;

    @Test
    void shouldGiveExactlyOneResultPerFrameInOrderAcrossHalts(@TempDir Path directory) throws Exception {
        shouldSurviveHalts(directory, "crash", 3, 4);
    }

    @Test
    @Tag("full")
    void shouldGiveExactlyOneResultPerFrameInOrderAcrossManyRandomHalts(@TempDir Path directory) throws Exception {
        long seed = Long.getLong("linesight.crash.seed", new Random().nextLong());
        System.out.println("CrashIT: repeat these halts with -Dlinesight.crash.seed=" + seed);
        shouldSurviveHalts(directory, "crash-random", seed, 12);
    }

    private static void shouldSurviveHalts(Path directory, String application, long seed, int halts) throws Exception {
        Random random = new Random(seed);
        try (Line line = new Line(SharedPlatform.kafka(), SharedPlatform.registry(), application, PARTITIONS)) {
            Feeder feeder = new Feeder(line);
            Instance[] instances = new Instance[2];
            try {
                for (int i = 0; i < instances.length; i++) instances[i] = new Instance(line, application, directory, i);
                try (Pace cameras = Pace.of("feeder", Duration.ofMillis(10), feeder::sendRound)) {
                    for (int halt = 0; halt < halts; halt++) {
                        Instance victim = instances[random.nextInt(instances.length)];
                        victim.awaitRunning();
                        awaitFrames(feeder, cameras, 20 + random.nextInt(MAX_FRAMES_BETWEEN_HALTS - 20));
                        victim.halt();
                        victim.launch();
                    }
                }
                line.flush();
                line.awaitCommitted(application, feeder.total(), Duration.ofSeconds(300));
                for (Instance instance : instances) instance.stopCleanly();
            } finally {
                for (Instance instance : instances) if (instance != null) instance.kill();
            }
            check(line, feeder);
        }
    }

    /** Waits for some frames of every camera; more are still to be inspected then. */
    private static void awaitFrames(Feeder feeder, Pace cameras, int frames) {
        long until = feeder.rounds + frames;
        Awaitility.await("frames before a halt")
                .atMost(Desk.TIMEOUT)
                .pollInterval(Duration.ofMillis(5))
                .until(() -> feeder.rounds >= until || !cameras.isAlive());
        assertThat(cameras.isAlive()).as("cameras still send").isTrue();
    }

    private static void check(Line line, Feeder feeder) {
        List<InspectionResult> results = line.results();
        Map<String, List<Long>> sequences = new TreeMap<>();
        Set<String> ids = new HashSet<>();
        for (InspectionResult r : results) {
            assertThat(ids.add(r.getResultId()))
                    .as("twice: %s", r.getResultId())
                    .isTrue();
            assertThat(r.getRawScore())
                    .as("score of %s", r.getFrameId())
                    .isEqualTo(feeder.value(r.getSequence()) / 255f);
            sequences.computeIfAbsent(r.getCameraId(), c -> new ArrayList<>()).add(r.getSequence());
        }
        assertThat(results).hasSize((int) (CAMERAS * feeder.rounds));
        assertThat(sequences).hasSize(CAMERAS);
        sequences.forEach((camera, numbers) -> {
            for (int i = 0; i < numbers.size(); i++)
                assertThat(numbers.get(i)).as("result %s of %s", i, camera).isEqualTo(i);
        });
        Map<Integer, List<Long>> letters = new HashMap<>();
        for (DeadLetterReason reason : line.deadLetters()) {
            letters.computeIfAbsent(reason.getSource().getPartition(), p -> new ArrayList<>())
                    .add(reason.getSource().getOffset());
        }
        letters.values().forEach(offsets -> offsets.sort(null));
        assertThat(letters).isEqualTo(feeder.badOffsets);
        int attempts = line.read(line.topics.results(), "read_uncommitted").size();
        System.out.printf(
                "CrashIT: %d frames and %d dead letters exactly once and in order; %d results of aborted "
                        + "transactions stayed invisible%n",
                results.size(),
                feeder.badOffsets.values().stream().mapToInt(List::size).sum(),
                attempts - results.size());
    }

    /** Cameras that send for as long as the halts take, so that every halt meets work. */
    private static final class Feeder {
        private final Line line;
        private final long[] offsets = new long[PARTITIONS];
        final Map<Integer, List<Long>> badOffsets = new HashMap<>();
        /** Frames that every camera has sent. */
        volatile long rounds;

        Feeder(Line line) {
            this.line = line;
        }

        int value(long sequence) {
            return (int) (sequence % 130); // a few anomalies, from 128 on
        }

        long total() {
            return CAMERAS * rounds + PARTITIONS * (rounds / BAD_EVERY);
        }

        void sendRound() {
            for (int c = 0; c < CAMERAS; c++) {
                line.send(
                        c % PARTITIONS,
                        Line.frame("cam" + c, rounds, value(rounds)).build());
                offsets[c % PARTITIONS]++;
            }
            if (rounds % BAD_EVERY == BAD_EVERY - 1) {
                for (int p = 0; p < PARTITIONS; p++) {
                    line.sendBytes(p, "bad", new byte[] {7, 7});
                    badOffsets.computeIfAbsent(p, k -> new ArrayList<>()).add(offsets[p]++);
                }
            }
            rounds++;
        }
    }

    /** One app in a JVM of its own. */
    private static final class Instance {
        private final Path log;
        private final Path settings;
        private Process process;

        Instance(Line line, String application, Path directory, int number) throws IOException {
            log = directory.resolve("instance-" + number + ".log");
            settings = directory.resolve("instance-" + number + ".properties");
            Properties properties = new Properties();
            properties.putAll(line.settings(
                    "application.id",
                    application,
                    "state.dir",
                    directory.resolve("state-" + number).toString(),
                    "linesight.drain.budget.ms",
                    "2000",
                    "linesight.drain.timeout.ms",
                    "8000",
                    "linesight.registry.retry.ms",
                    "5000",
                    "linesight.thumbnail",
                    "false",
                    // A halted instance's transaction and membership hold its partitions until these are over.
                    "transaction.timeout.ms",
                    "10000",
                    "kafka.consumer.session.timeout.ms",
                    "6000",
                    "kafka.consumer.heartbeat.interval.ms",
                    "500"));
            try (var out = java.nio.file.Files.newBufferedWriter(settings)) {
                properties.store(out, null);
            }
            launch();
        }

        void launch() {
            ProcessBuilder builder = new ProcessBuilder(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-Xmx256m",
                    "-XX:+UseSerialGC",
                    "-XX:TieredStopAtLevel=1",
                    "--add-modules",
                    "jdk.incubator.vector",
                    "-Dorg.bytedeco.javacpp.maxPhysicalBytes=0",
                    "-cp",
                    System.getProperty("java.class.path"),
                    App.class.getName(),
                    settings.toString());
            builder.redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
            try {
                process = builder.start();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        void awaitRunning() throws Exception {
            String mark = App.RUNNING + process.pid();
            Desk.await(() -> said().contains(mark) || !process.isAlive(), () -> "running instance\n" + said());
            assertThat(said()).as("instance died").contains(mark);
        }

        private String said() {
            try {
                return java.nio.file.Files.readString(log);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /** The app halts itself: no shutdown hook, no flush, as after a power cut. */
        void halt() throws Exception {
            process.getOutputStream().write('h');
            process.getOutputStream().flush();
            assertThat(process.waitFor()).isEqualTo(App.HALTED);
        }

        void stopCleanly() throws Exception {
            process.getOutputStream().write('q');
            process.getOutputStream().flush();
            assertThat(process.waitFor())
                    .as("clean shutdown:\n%s", java.nio.file.Files.readString(log))
                    .isZero();
        }

        void kill() {
            process.destroyForcibly();
        }
    }

    /** Runs the app until it is told to halt or to quit. */
    static final class App {
        static final String RUNNING = "running as process ";
        static final int HALTED = 9;

        public static void main(String[] args) throws Exception {
            InspectionApp app = new InspectionApp(
                    InspectionConfig.ofFile(Path.of(args[0])), MeanScorer.serving(new MeanScorer()), null);
            app.start();
            if (!app.awaitRunning(Duration.ofSeconds(120))) System.exit(3);
            System.out.println(RUNNING + ProcessHandle.current().pid());
            int command = System.in.read();
            if (command != 'q') Runtime.getRuntime().halt(HALTED);
            System.exit(app.close(Duration.ofSeconds(30)) ? 0 : 4);
        }
    }
}

package io.linesight.trainer.learning;

import io.linesight.mmad.checkpoint.Checkpoint;
import io.linesight.mmad.io.Sha256;
import io.linesight.schemas.ModelVersion;
import io.linesight.trainer.calibration.CalibrationRule;
import io.linesight.trainer.gate.GateConfig;
import io.linesight.trainer.imagestore.StoreConfig;
import io.linesight.trainer.learning.TrainerEvent.Kind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * A trainer in a JVM of its own that dies where it is told to, as in a power cut: no shutdown hook, no flush, nothing
 * closed. What it does it writes into {@code <folder>.diary} at once, so that it is known after the death too.
 */
final class TrainerProcess {
    static final int HALTED = 137;
    static final String NOWHERE = "nowhere";
    /** Held-out images per product and kind that the gate looks at. */
    static final int MEASURED = 3;

    static final TrainerService.Timing QUICK =
            new TrainerService.Timing(Duration.ofMillis(200), Duration.ofMillis(200));

    private TrainerProcess() {}

    /** Little work per run: what counts is that every step happens, once. */
    static TrainerConfig config(Map<String, String> kafka, Path folder, int epochs) {
        String name = folder.getFileName().toString();
        return TrainerConfig.of(kafka, folder)
                .withGroup(name)
                .withInstance(name)
                .withGate(new GateConfig(1, 2, 1, 1, Set.of()))
                .withStore(StoreConfig.in(folder.resolve("store")).withShares(0.3, 0.2))
                .withTuning(new TrainerConfig.Tuning(
                        0, epochs, 0.0005, 4, 0, 4, 2, MEASURED, 1, CalibrationRule.defaults()));
    }

    /**
     * Starts a trainer on the folder.
     *
     * @param haltAt point of a run at which it dies, or {@link #NOWHERE}
     */
    static Process start(Map<String, String> kafka, Path folder, Path champion, String haltAt, int epochs)
            throws IOException {
        Path file = settings(kafka, folder);
        return start(
                folder,
                java(
                        TrainerProcess.class,
                        file.toString(),
                        folder.toString(),
                        champion.toString(),
                        haltAt,
                        "" + epochs));
    }

    /** Writes settings where another process can read them. */
    static Path settings(Map<String, String> kafka, Path folder) throws IOException {
        Properties settings = new Properties();
        settings.putAll(kafka);
        Path file = folder.resolveSibling(folder.getFileName() + ".properties");
        try (var out = Files.newBufferedWriter(file)) {
            settings.store(out, null);
        }
        return file;
    }

    static Map<String, String> settings(String file) throws IOException {
        Properties settings = new Properties();
        try (var in = Files.newBufferedReader(Path.of(file))) {
            settings.load(in);
        }
        Map<String, String> kafka = new HashMap<>();
        settings.stringPropertyNames().forEach(k -> kafka.put(k, settings.getProperty(k)));
        return kafka;
    }

    /** Starts a command that logs beside the folder. */
    static Process start(Path folder, List<String> command) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log(folder).toFile()));
        // Not on the command line: ONNX Runtime does not survive very long ones.
        builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
        return builder.start();
    }

    static Path log(Path folder) {
        return folder.resolveSibling(folder.getFileName() + ".log");
    }

    static List<String> java(Class<?> main, String... args) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx512m",
                "-XX:+UseSerialGC",
                "--add-modules",
                "jdk.incubator.vector",
                "-Dorg.bytedeco.javacpp.maxPhysicalBytes=0",
                main.getName()));
        command.addAll(List.of(args));
        return command;
    }

    private static Path diaryFile(Path folder) {
        return folder.resolveSibling(folder.getFileName() + ".diary");
    }

    /** What the lives on this folder wrote, one list per life. */
    static List<List<String>> diary(Path folder) throws IOException {
        List<List<String>> lives = new ArrayList<>();
        for (String line : Files.readAllLines(diaryFile(folder))) {
            if (line.equals("born")) lives.add(new ArrayList<>());
            else lives.get(lives.size() - 1).add(line);
        }
        return lives;
    }

    static synchronized void write(Path folder, String line) {
        try {
            Files.writeString(diaryFile(folder), line + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** No life goes on without the test that looks at it. */
    static void endWithParent() {
        ProcessHandle.current().parent().ifPresent(p -> p.onExit()
                .thenRun(() -> Runtime.getRuntime().halt(2)));
    }

    /** A folder that notes what comes. */
    static ChallengerSink recording(Path folder) {
        FolderChallengerSink sink = new FolderChallengerSink(folder.resolve("out"));
        return (Path checkpoint, ModelVersion draft) -> {
            sink.offer(checkpoint, draft);
            write(folder, "offered " + draft.getVersion() + " " + draft.getSha256() + " " + Sha256.hex(checkpoint));
        };
    }

    public static void main(String[] args) throws Exception {
        endWithParent();
        Map<String, String> kafka = settings(args[0]);
        Path folder = Path.of(args[1]);
        Path file = Path.of(args[2]);
        Champion champion = new Champion(Checkpoint.read(file).info().version(), file);
        write(folder, "born");
        FaultInjector halt = point -> {
            write(folder, "reached " + point);
            if (point.equals(args[3])) Runtime.getRuntime().halt(HALTED);
        };
        CountDownLatch end = new CountDownLatch(1);
        try (TrainerService service = new TrainerService(
                config(kafka, folder, Integer.parseInt(args[4])),
                channel -> Optional.of(champion),
                recording(folder),
                e -> {
                    if (e.kind() == Kind.RUN_STARTED) write(folder, "run " + e.run());
                    if (e.kind() == Kind.RUN_FAILED) write(folder, "failed " + e.message());
                    if (e.kind() == Kind.RUN_FINISHED) end.countDown();
                },
                halt,
                QUICK)) {
            service.start();
            for (int i = 0; i < 600 && service.failure().isEmpty(); i++)
                if (end.await(200, TimeUnit.MILLISECONDS)) break;
        }
        System.exit(end.getCount() == 0 ? 0 : 1);
    }
}

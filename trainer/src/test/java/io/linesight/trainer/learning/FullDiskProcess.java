package io.linesight.trainer.learning;

import io.linesight.mmad.checkpoint.Checkpoint;
import io.linesight.trainer.imagestore.DatasetStore;
import io.linesight.trainer.imagestore.StoredImage;
import io.linesight.trainer.learning.TrainerConfig.Triggers;
import io.linesight.trainer.learning.TrainerEvent.Kind;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;

/**
 * A trainer on a small disk that gets full before everything that it writes, and has room again as soon as it says that
 * it waits. Its folder is the whole disk, mounted for this process alone.
 */
final class FullDiskProcess {
    private static final int DISK_MEGABYTES = 64;

    private final Path folder;
    private final Path filler;
    private final Set<String> done = ConcurrentHashMap.newKeySet();

    private FullDiskProcess(Path folder) {
        this.folder = folder;
        filler = folder.resolve("filler");
    }

    /** Whether this machine lets a process mount a disk for itself, without being root. */
    static boolean possible(Path empty) throws Exception {
        try {
            Process p = new ProcessBuilder(mounted(empty, List.of("true")))
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            return p.waitFor(20, TimeUnit.SECONDS) && p.exitValue() == 0;
        } catch (IOException noSuchProgram) {
            return false;
        }
    }

    private static List<String> mounted(Path folder, List<String> command) {
        List<String> all = new ArrayList<>(List.of(
                "unshare",
                "-rm",
                "sh",
                "-c",
                "mount -t tmpfs -o size=" + DISK_MEGABYTES + "m tmpfs \"$0\" && exec \"$@\"",
                folder.toString()));
        all.addAll(command);
        return all;
    }

    static Process start(Map<String, String> kafka, Path folder, Path champion, int normals) throws IOException {
        String settings = TrainerProcess.settings(kafka, folder).toString();
        return TrainerProcess.start(
                folder,
                mounted(
                        folder,
                        TrainerProcess.java(
                                FullDiskProcess.class,
                                settings,
                                folder.toString(),
                                champion.toString(),
                                "" + normals)));
    }

    /** Where what the disk held in the end is kept: it goes with the process. */
    static Path out(Path folder) {
        return folder.resolveSibling(folder.getFileName() + ".out");
    }

    /** Takes all room, the first time that it is called so. */
    private void fill(String occasion) {
        if (!done.add(occasion)) return;
        TrainerProcess.write(folder, "full " + occasion);
        try (OutputStream out = Files.newOutputStream(filler)) {
            byte[] page = new byte[4096];
            while (true) out.write(page);
        } catch (IOException full) {
            if (!String.valueOf(full.getMessage()).contains("No space left")) throw new UncheckedIOException(full);
        }
    }

    private void free(String message) {
        TrainerProcess.write(folder, "waits " + message);
        try {
            Files.delete(filler);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void happened(TrainerEvent e) {
        if (e.kind() == Kind.WAITING) free(e.message());
        if (e.kind() == Kind.RUN_STARTED) TrainerProcess.write(folder, "run " + e.run());
        if (e.kind() == Kind.RUN_FAILED) TrainerProcess.write(folder, "failed " + e.message());
        // Told before the first labels come.
        if (e.kind() == Kind.WORKING) fill("labels");
        if (e.kind() == Kind.STAGE_DONE)
            fill(
                    e.message().startsWith("chose")
                            ? "before training"
                            : e.message().startsWith("trained") ? "calibrating" : "judging");
        if (e.kind() == Kind.VERDICT) fill("handing over");
    }

    /** Fills the disk while the network learns. */
    private void whileTraining() {
        Awaitility.await().forever().pollInterval(Duration.ofMillis(5)).until(() -> {
            if (done.contains("before training") && !Files.exists(filler) && hasSteps()) fill("training");
            return done.contains("training");
        });
    }

    private boolean hasSteps() {
        try (Stream<Path> files = Files.walk(folder.resolve("runs"))) {
            for (Path metrics :
                    files.filter(f -> f.endsWith("trained.metrics.jsonl")).toList())
                if (Files.size(metrics) > 0) return true;
            return false;
        } catch (IOException | UncheckedIOException e) {
            // Files come and go while they are listed.
            return false;
        }
    }

    private void work(Map<String, String> kafka, Path file, int normals) throws Exception {
        TrainerConfig config = TrainerProcess.config(kafka, folder, 1).withTriggers(new Triggers(normals, null));
        try (DatasetStore store = DatasetStore.open(config.store())) {
            store.importFrom(TrainerServiceIT.parts(Map.of("fabric", TrainerServiceIT.FABRICS)), "import");
        }
        Champion champion = new Champion(Checkpoint.read(file).info().version(), file);
        ChampionSource champions = channel -> {
            fill("copying the champion");
            return Optional.of(champion);
        };
        CountDownLatch end = new CountDownLatch(1);
        Thread filling = new Thread(this::whileTraining, "fill");
        filling.setDaemon(true);
        filling.start();
        try (TrainerService service = new TrainerService(
                config,
                champions,
                TrainerProcess.recording(folder),
                e -> {
                    happened(e);
                    if (e.kind() == Kind.RUN_FINISHED) end.countDown();
                },
                point -> TrainerProcess.write(folder, "reached " + point),
                TrainerProcess.QUICK)) {
            service.start();
            for (int i = 0; i < 600 && service.failure().isEmpty(); i++)
                if (end.await(200, TimeUnit.MILLISECONDS)) break;
            service.failure().ifPresent(f -> TrainerProcess.write(folder, "ended by " + f));
            service.counts().forEach((k, v) -> TrainerProcess.write(folder, "count " + k + " " + v));
        }
        try (DatasetStore store = DatasetStore.open(config.store())) {
            for (StoredImage p : store.images())
                if (p.product().equals("flange"))
                    TrainerProcess.write(
                            folder, "picture " + p.frame() + " " + (p.anomalous() ? "anomalous" : "normal"));
        }
        Files.createDirectories(out(folder));
        try (var files = Files.list(folder.resolve("out"))) {
            for (Path f : files.toList()) Files.copy(f, out(folder).resolve(f.getFileName()));
        }
        System.exit(end.getCount() == 0 ? 0 : 1);
    }

    public static void main(String[] args) throws Exception {
        TrainerProcess.endWithParent();
        Path folder = Path.of(args[1]);
        TrainerProcess.write(folder, "born");
        new FullDiskProcess(folder).work(TrainerProcess.settings(args[0]), Path.of(args[2]), Integer.parseInt(args[3]));
    }
}

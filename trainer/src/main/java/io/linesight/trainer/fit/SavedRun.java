package io.linesight.trainer.fit;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.linesight.mmad.architecture.ParameterSpec;
import io.linesight.mmad.architecture.Tensor;
import io.linesight.mmad.architecture.Weights;
import io.linesight.mmad.io.ExclusiveLock;
import io.linesight.trainer.folders.DatasetException;
import io.linesight.trainer.network.Trainer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * A folder beside the checkpoint to come that holds what a killed run needs to resume: {@code state.json}, replaced in
 * one step, names the files of weights and optimiser that belong to it with their checksums. They have the step in
 * their names, so a save that does not come to its end leaves the state before it whole. One process at a time. Not
 * thread-safe.
 */
final class SavedRun implements AutoCloseable {
    private static final ObjectMapper JSON =
            new ObjectMapper().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);
    private static final int FORMAT = 1;
    private static final String STATE = "state.json";
    private static final String PART = ".part";
    private static final String LOCK = "lock";
    private static final String FEATURES = "features";

    private final Path folder;
    private final ExclusiveLock lock;

    /** A file as it was written. */
    record Part(
            @JsonProperty("name") String name,
            @JsonProperty("bytes") long bytes,
            @JsonProperty("crc32c") long crc32c) {}

    /**
     * Where a run was.
     *
     * @param settings what must be the same for a resumption: option to value
     * @param run counters of the training loop
     * @param random state of libtorch's generator
     * @param savedAt milliseconds since 1970
     * @param optimiser null when no step was done
     * @param best best weights so far, null without early stopping
     */
    record State(
            @JsonProperty("format") int format,
            @JsonProperty("savedAt") long savedAt,
            @JsonProperty("settings") Map<String, String> settings,
            @JsonProperty("run") RunState run,
            @JsonProperty("random") byte[] random,
            @JsonProperty("weights") Part weights,
            @JsonProperty("optimiser") @Nullable Part optimiser,
            @JsonProperty("best") @Nullable Part best) {
        private List<Part> parts() {
            return Stream.of(weights, optimiser, best).filter(Objects::nonNull).toList();
        }

        private Set<String> files() {
            return parts().stream().map(Part::name).collect(Collectors.toSet());
        }
    }

    private SavedRun(Path folder, ExclusiveLock lock) {
        this.folder = folder;
        this.lock = lock;
    }

    /** @throws DatasetException when another process trains here */
    static SavedRun open(Path folder) throws IOException {
        Files.createDirectories(folder);
        ExclusiveLock lock = ExclusiveLock.tryOn(folder.resolve(LOCK))
                .orElseThrow(() -> new DatasetException("another fit is working on the same checkpoint: it holds "
                        + folder + ". Wait for it, or write to another --out"));
        // What a killed run left; nobody else is here.
        try (Stream<Path> s = Files.list(folder)) {
            for (Path f : s.filter(f -> f.getFileName().toString().startsWith("linesight-"))
                    .toList()) Files.deleteIfExists(f);
        }
        return new SavedRun(folder, lock);
    }

    /** Where features are kept until the run has succeeded. */
    Path features() {
        return folder.resolve(FEATURES);
    }

    /**
     * The state to resume from; null when there is none.
     *
     * @throws DatasetException when it is damaged or of other settings; says what to do
     */
    @Nullable
    State load(Map<String, String> settings) throws IOException {
        if (!Files.exists(folder.resolve(STATE))) return null;
        State state;
        try {
            state = JSON.readValue(folder.resolve(STATE).toFile(), State.class);
        } catch (JsonProcessingException e) {
            throw damaged(STATE + " cannot be understood");
        }
        if (state.format() != FORMAT) throw damaged("it was saved by another version of linesight");
        String differences = differences(state.settings(), settings);
        if (!differences.isEmpty()) {
            throw new DatasetException(
                    "an unfinished run of step " + state.run().step() + " lies in " + folder
                            + ", and it was started with other options:" + differences
                            + "\nRun it with the same options to resume, start over with --fresh (the unfinished run "
                            + "is lost), or write to another --out");
        }
        for (Part p : state.parts()) {
            Path file = folder.resolve(p.name());
            if (!Files.exists(file) || Files.size(file) != p.bytes() || checksum(file) != p.crc32c())
                throw damaged(p.name() + " is not what was written");
        }
        return state;
    }

    private static String differences(Map<String, String> before, Map<String, String> now) {
        Set<String> names = new TreeSet<>(now.keySet());
        names.addAll(before.keySet());
        StringBuilder differences = new StringBuilder();
        for (String n : names) {
            String was = before.getOrDefault(n, "not given");
            String is = now.getOrDefault(n, "not given");
            if (!was.equals(is))
                differences
                        .append("\n  ")
                        .append(n)
                        .append(": was ")
                        .append(was)
                        .append(", is ")
                        .append(is);
        }
        return differences.toString();
    }

    private DatasetException damaged(String why) {
        return new DatasetException(
                "the unfinished run in " + folder + " cannot be resumed: " + why + ". Start over with --fresh");
    }

    /** Forgets the state; features stay, they do not depend on it. */
    void clear() throws IOException {
        Files.deleteIfExists(folder.resolve(STATE));
        tidy(Set.of());
    }

    /**
     * What a save takes.
     *
     * @param settings what must be the same for a resumption
     * @param random state of libtorch's generator
     * @param optimiser null before the first step
     * @param best null without early stopping
     */
    record Snapshot(
            Map<String, String> settings,
            RunState run,
            byte[] random,
            Weights weights,
            List<ParameterSpec> specs,
            @Nullable Trainer optimiser,
            @Nullable Weights best) {}

    /**
     * Saves. Returns when it would survive a power cut.
     *
     * @param before the state saved last, null when there was none; its best weights are not written again when they
     *     are the same
     * @throws IOException when there is no room; the state before is whole
     */
    State save(Snapshot now, @Nullable State before) throws IOException {
        Set<String> keep = before == null ? Set.of() : before.files();
        tidy(keep);
        // A stop and a later save may be of the same step: a file that counts is never written to.
        String suffix = now.run.step() + "-" + (before == null ? 0 : before.savedAt()) + ".bin";
        try {
            Part weights = write("weights-" + suffix, now.weights, now.specs);
            Part optimiser = now.optimiser == null ? null : write("optimiser-" + suffix, now.optimiser);
            Part best = now.best == null ? null : bestOf(now, before, "best-" + suffix);
            State state = new State(
                    FORMAT,
                    System.currentTimeMillis(),
                    now.settings,
                    now.run.copy(),
                    now.random,
                    weights,
                    optimiser,
                    best);
            replaceState(state);
            keep = state.files();
            tidy(keep);
            return state;
        } catch (IOException e) {
            try {
                tidy(keep);
            } catch (IOException again) {
                e.addSuppressed(again);
            }
            throw e;
        }
    }

    private Part bestOf(Snapshot now, @Nullable State before, String name) throws IOException {
        boolean same = before != null && before.best() != null && before.run().bestStep() == now.run.bestStep();
        return same ? before.best() : write(name, now.best, now.specs);
    }

    private void replaceState(State state) throws IOException {
        Path part = folder.resolve(STATE + PART);
        Files.write(part, JSON.writeValueAsBytes(state));
        force(part);
        Files.move(part, folder.resolve(STATE), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        force(folder);
    }

    private Part write(String name, Trainer optimiser) throws IOException {
        Path file = folder.resolve(name);
        optimiser.save(file);
        force(file);
        return new Part(name, Files.size(file), checksum(file));
    }

    /** Removes files of saves that do not count. */
    private void tidy(Set<String> keep) throws IOException {
        List<Path> files;
        try (Stream<Path> s = Files.list(folder)) {
            files = s.filter(f -> {
                        String n = f.getFileName().toString();
                        return n.endsWith(PART) || n.endsWith(".bin") && !keep.contains(n);
                    })
                    .toList();
        }
        for (Path f : files) Files.deleteIfExists(f);
    }

    private Part write(String name, Weights weights, List<ParameterSpec> specs) throws IOException {
        CRC32C crc = new CRC32C();
        long bytes = 0;
        Path file = folder.resolve(name);
        try (FileChannel c = FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            for (ParameterSpec spec : specs) {
                float[] values = weights.get(spec.name()).data();
                ByteBuffer buffer =
                        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
                buffer.asFloatBuffer().put(values);
                crc.update(buffer.duplicate());
                bytes += buffer.remaining();
                while (buffer.hasRemaining()) c.write(buffer);
            }
            c.force(true);
        }
        return new Part(name, bytes, crc.getValue());
    }

    /** Weights of a part of the state. */
    Weights weights(Part part, List<ParameterSpec> specs) throws IOException {
        Weights weights = new Weights();
        try (FileChannel c = FileChannel.open(folder.resolve(part.name()), StandardOpenOption.READ)) {
            for (ParameterSpec spec : specs) {
                ByteBuffer buffer =
                        ByteBuffer.allocate(spec.size() * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
                while (buffer.hasRemaining()) if (c.read(buffer) < 0) throw damaged(part.name() + " is too short");
                float[] values = new float[spec.size()];
                buffer.flip().asFloatBuffer().get(values);
                weights.put(spec.name(), new Tensor(values, spec.shape()));
            }
        }
        return weights;
    }

    Path file(Part part) {
        return folder.resolve(part.name());
    }

    private static long checksum(Path file) throws IOException {
        CRC32C crc = new CRC32C();
        ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
        try (FileChannel c = FileChannel.open(file, StandardOpenOption.READ)) {
            while (c.read(buffer.clear()) >= 0) crc.update(buffer.flip());
        }
        return crc.getValue();
    }

    private static void force(Path file) throws IOException {
        boolean isFolder = Files.isDirectory(file);
        try (FileChannel c = FileChannel.open(file, isFolder ? StandardOpenOption.READ : StandardOpenOption.WRITE)) {
            c.force(true);
        } catch (IOException e) {
            // Not every file system lets a folder be opened.
            if (!isFolder) throw e;
        }
    }

    /** The checkpoint is there: nothing of this is needed any more. */
    void finished() throws IOException {
        // The state first: half a folder must not look like an unfinished run.
        Files.deleteIfExists(folder.resolve(STATE));
        tidy(Set.of());
        if (Files.isDirectory(features())) {
            List<Path> files;
            try (Stream<Path> s = Files.list(features())) {
                files = s.filter(f -> f.getFileName().toString().matches("[0-9a-f]{16}\\.(f32|index|lock)(\\.part)?"))
                        .toList();
            }
            for (Path f : files) Files.deleteIfExists(f);
            deleteIfEmpty(features());
        }
        Files.deleteIfExists(folder.resolve(LOCK));
        deleteIfEmpty(folder);
    }

    /** Somebody may have put files of his own beside ours. */
    private static void deleteIfEmpty(Path dir) throws IOException {
        try {
            Files.deleteIfExists(dir);
        } catch (DirectoryNotEmptyException e) {
            return;
        }
    }

    @Override
    public void close() throws IOException {
        try (ExclusiveLock l = lock) {
            // A rejected run leaves nothing behind.
            if (Files.exists(folder) && !Files.exists(folder.resolve(STATE)) && !Files.exists(features())) finished();
        }
    }
}

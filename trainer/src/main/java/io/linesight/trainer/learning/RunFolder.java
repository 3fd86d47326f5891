package io.linesight.trainer.learning;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.linesight.mmad.io.Scratch;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The folder of one run, with a record of the finished stages; any thread may ask. The record is replaced in one step,
 * after the files that it names are on the disk.
 */
final class RunFolder {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String RECORD = "run.json";

    final Path folder;
    final String id;
    private final ObjectNode record;

    private RunFolder(Path folder, ObjectNode record) {
        this.folder = folder;
        this.id = folder.getFileName().toString();
        this.record = record;
    }

    static RunFolder create(Path runs, String id) throws IOException {
        Path folder = runs.resolve(id);
        Files.createDirectories(folder);
        RunFolder run = new RunFolder(folder, JSON.createObjectNode());
        run.record.putObject("stages");
        run.save();
        return run;
    }

    /**
     * The newest run that is not over; null without one. Removes folders without a record: such a run never started.
     */
    static @Nullable RunFolder unfinished(Path runs) throws IOException {
        for (Path folder : all(runs)) {
            Path file = folder.resolve(RECORD);
            if (!Files.isRegularFile(file)) {
                Scratch.delete(folder);
                continue;
            }
            RunFolder run = new RunFolder(folder, (ObjectNode) JSON.readTree(file.toFile()));
            if (!run.record.has("over")) return run;
        }
        return null;
    }

    /** Newest first: names start with the time. */
    private static List<Path> all(Path runs) throws IOException {
        if (!Files.isDirectory(runs)) return List.of();
        try (Stream<Path> s = Files.list(runs)) {
            return s.filter(Files::isDirectory)
                    .sorted(Comparator.reverseOrder())
                    .toList();
        }
    }

    /** Removes all but the newest runs. */
    static void prune(Path runs, int keep) throws IOException {
        List<Path> all = all(runs);
        for (Path old : all.subList(Math.min(keep, all.size()), all.size())) Scratch.delete(old);
    }

    synchronized boolean done(Stage stage) {
        return record.path("stages").has(stage.name());
    }

    synchronized JsonNode of(Stage stage) {
        return record.path("stages").path(stage.name());
    }

    static ObjectNode facts() {
        return JSON.createObjectNode();
    }

    synchronized void done(Stage stage, ObjectNode facts) throws IOException {
        ((ObjectNode) record.get("stages")).set(stage.name(), facts);
        save();
    }

    synchronized void over(String how) throws IOException {
        record.put("over", how);
        save();
    }

    Path file(String name) {
        return folder.resolve(name);
    }

    /** Removes everything but the record and these files: a kill in the middle of a stage leaves more. */
    void tidy(Set<String> known) throws IOException {
        List<Path> files;
        try (Stream<Path> s = Files.list(folder)) {
            files = s.filter(f -> !f.endsWith(RECORD)
                            && !known.contains(f.getFileName().toString()))
                    .toList();
        }
        for (Path f : files) Scratch.delete(f);
    }

    private void save() throws IOException {
        write(file(RECORD), JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(record));
    }

    /** Replaces a file in one step; when it throws, the old file stays and nothing else is left. */
    static void write(Path file, byte[] bytes) throws IOException {
        Path part = file.resolveSibling(file.getFileName() + ".part");
        try {
            try (FileChannel c = FileChannel.open(
                    part, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
                ByteBuffer b = ByteBuffer.wrap(bytes);
                while (b.hasRemaining()) c.write(b);
                c.force(true);
            }
            Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(part);
        }
    }

    /** Copies a file in one step, likewise. */
    static void copy(Path from, Path to) throws IOException {
        Path part = to.resolveSibling(to.getFileName() + ".part");
        try {
            Files.copy(from, part, StandardCopyOption.REPLACE_EXISTING);
            try (FileChannel c = FileChannel.open(part, StandardOpenOption.WRITE)) {
                c.force(true);
            }
            Files.move(part, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(part);
        }
    }
}

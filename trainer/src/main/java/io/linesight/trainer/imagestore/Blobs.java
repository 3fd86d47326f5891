package io.linesight.trainer.imagestore;

import io.linesight.mmad.io.Sha256;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** Files named by the SHA-256 of their content. A file under its final name is complete. */
final class Blobs {
    private static final String TEMPORARY = ".tmp";

    private final Path folder;
    private final Disk disk;

    Blobs(Path folder, Disk disk) throws IOException {
        this.folder = folder;
        this.disk = disk;
        Files.createDirectories(folder);
    }

    static String sha256(byte[] bytes) {
        return Sha256.hex(bytes);
    }

    Path path(String sha) {
        return folder.resolve(sha.substring(0, 2)).resolve(sha);
    }

    boolean has(String sha) {
        return Files.isRegularFile(path(sha));
    }

    void write(String sha, byte[] bytes) throws IOException {
        Path target = path(sha);
        if (Files.isRegularFile(target) && Files.size(target) == bytes.length) return;
        Files.createDirectories(target.getParent());
        Path temporary = target.resolveSibling(sha + TEMPORARY);
        try {
            try (SeekableByteChannel c = disk.open(
                    temporary,
                    StandardOpenOption.CREATE,
                    StandardOpenOption.TRUNCATE_EXISTING,
                    StandardOpenOption.WRITE)) {
                ByteBuffer b = ByteBuffer.wrap(bytes);
                while (b.hasRemaining()) c.write(b);
                Disk.force(c);
            }
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(temporary);
        }
        Journal.syncFolder(target.getParent());
        Journal.syncFolder(folder);
    }

    void delete(String sha) throws IOException {
        Files.deleteIfExists(path(sha));
    }

    /**
     * Removes files that are not wanted: a kill between a file and its line in the journal leaves them. Returns how
     * many.
     */
    int sweep(Set<String> wanted) throws IOException {
        List<Path> files;
        try (Stream<Path> s = Files.walk(folder)) {
            files = s.filter(Files::isRegularFile).toList();
        }
        int removed = 0;
        for (Path f : files) {
            if (wanted.contains(f.getFileName().toString())) continue;
            Files.delete(f);
            removed++;
        }
        return removed;
    }
}

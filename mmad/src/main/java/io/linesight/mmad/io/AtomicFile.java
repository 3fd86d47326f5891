package io.linesight.mmad.io;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.UUID;

/**
 * Files that are replaced in one step: readers see the old file or the whole new one, and a failure leaves the old one.
 */
public final class AtomicFile {
    private AtomicFile() {}

    /** Writes the content from the channel's beginning. */
    public interface Content {
        void write(FileChannel channel) throws IOException;
    }

    /**
     * Writes a file and returns when it would survive a power cut. Its folder is made when absent.
     *
     * @throws IOException when it cannot be written
     */
    public static void replace(Path path, Content content) throws IOException {
        Path target = path.toAbsolutePath();
        Path directory = target.getParent();
        Files.createDirectories(directory);
        // Not Files.createTempFile: only its owner could read the file then.
        Path temporary = directory.resolve("." + target.getFileName() + "." + UUID.randomUUID() + ".tmp");
        try {
            try (FileChannel channel =
                    FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                content.write(channel);
                channel.force(true);
            }
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(temporary);
        }
        // The rename itself must survive a power cut too. Not every file system lets a directory be opened.
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException ignored) {
            return;
        }
    }
}

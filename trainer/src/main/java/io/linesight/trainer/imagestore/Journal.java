package io.linesight.trainer.imagestore;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Append-only file of JSON lines. A line counts once its newline is on the disk; {@link #append} returns after that. A
 * last line without a newline is what a crash leaves: it was not acknowledged and is cut off. Any other line that
 * cannot be read is damage, and opening fails.
 */
final class Journal implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Journal.class);
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path file;
    private final Disk disk;
    private SeekableByteChannel channel;
    private int lines;
    /** Where the last line that counts ends. */
    private long end;
    /** Whether part of a line that does not count may lie behind {@link #end}. */
    private boolean torn;

    private Journal(Path file, Disk disk) {
        this.file = file;
        this.disk = disk;
    }

    /** Opens the file, made when absent, and adds its lines to {@code into}. */
    static Journal open(Path file, List<JsonNode> into, Disk disk) throws IOException {
        Journal journal = new Journal(file, disk);
        Files.deleteIfExists(temporary(file));
        byte[] bytes = Files.exists(file) ? Files.readAllBytes(file) : new byte[0];
        int valid = parse(file, bytes, into);
        journal.channel = disk.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        if (valid < bytes.length) {
            LOG.warn(
                    "{} ends in an incomplete line of {} bytes, cut off. It was never acknowledged, so its operation "
                            + "is done again",
                    file,
                    bytes.length - valid);
            journal.channel.truncate(valid);
            Disk.force(journal.channel);
        }
        journal.channel.position(valid);
        journal.end = valid;
        journal.lines = into.size();
        syncFolder(file.getParent());
        return journal;
    }

    /** Parses whole lines; returns where the last of them ends. */
    private static int parse(Path file, byte[] bytes, List<JsonNode> into) throws IOException {
        int valid = 0;
        for (int i = 0; i < bytes.length; i++) {
            if (bytes[i] != '\n') continue;
            try {
                into.add(JSON.readTree(new String(bytes, valid, i - valid, StandardCharsets.UTF_8)));
            } catch (JsonProcessingException e) {
                // Some file systems lengthen a file before its last bytes arrive: then the last line is garbage.
                if (i == bytes.length - 1) break;
                throw new DatasetStoreException("line " + (into.size() + 1) + " of " + file + " is damaged ("
                        + e.getOriginalMessage() + "); restore the folder from a copy, or remove that line "
                        + "to continue without it. Nothing was changed");
            }
            valid = i + 1;
        }
        return valid;
    }

    /** Lines in the file. */
    int lines() {
        return lines;
    }

    void append(List<ObjectNode> nodes) throws IOException {
        if (nodes.isEmpty()) return;
        StringBuilder text = new StringBuilder();
        for (ObjectNode n : nodes) text.append(JSON.writeValueAsString(n)).append('\n');
        cutTornLine();
        torn = true;
        try {
            write(channel, text.toString());
        } catch (IOException e) {
            try {
                cutTornLine();
            } catch (IOException again) {
                e.addSuppressed(again);
            }
            throw e;
        }
        end = channel.position();
        torn = false;
        lines += nodes.size();
    }

    /** Half a line, on a full disk for instance, must not stay in front of the next one. */
    private void cutTornLine() throws IOException {
        if (!torn) return;
        channel.truncate(end);
        channel.position(end);
        torn = false;
    }

    /** Replaces the file in one step; when it throws, the old file stays valid. */
    void rewrite(List<ObjectNode> nodes) throws IOException {
        Path temporary = temporary(file);
        StringBuilder text = new StringBuilder();
        for (ObjectNode n : nodes) text.append(JSON.writeValueAsString(n)).append('\n');
        SeekableByteChannel fresh = disk.open(
                temporary, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE);
        try {
            write(fresh, text.toString());
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            closeQuietly(fresh);
            // A full disk needs the space.
            Files.deleteIfExists(temporary);
            throw e;
        }
        // The old file has no name any more: nothing may be written to it, even if closing it fails.
        closeQuietly(channel);
        channel = fresh;
        end = channel.position();
        torn = false;
        lines = nodes.size();
        syncFolder(file.getParent());
    }

    private static void write(SeekableByteChannel channel, String text) throws IOException {
        ByteBuffer buffer = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
        while (buffer.hasRemaining()) channel.write(buffer);
        Disk.force(channel);
    }

    private static void closeQuietly(SeekableByteChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            LOG.debug("An obsolete file did not close cleanly: {}", e.toString());
        }
    }

    private static Path temporary(Path file) {
        return file.resolveSibling(file.getFileName() + ".tmp");
    }

    /** Makes a rename or a new name survive a power cut. Not every file system can open a folder. */
    static void syncFolder(Path folder) {
        try (FileChannel c = FileChannel.open(folder, StandardOpenOption.READ)) {
            c.force(true);
        } catch (IOException ignored) {
            return;
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}

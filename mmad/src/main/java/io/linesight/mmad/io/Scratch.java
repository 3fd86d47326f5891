package io.linesight.mmad.io;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Temporary files whose size is known before they are written, and their removal. */
public final class Scratch {
    private Scratch() {}

    /** Deletes a folder with all that is in it, or a file; nothing happens where there is none. */
    public static void delete(Path folder) throws IOException {
        if (!Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) return;
        List<Path> deepestFirst;
        try (Stream<Path> files = Files.walk(folder)) {
            deepestFirst = files.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path file : deepestFirst) Files.deleteIfExists(file);
    }

    /**
     * An empty file, on a disk that has room for what will be written.
     *
     * @param folder existing folder; null for the system's temporary one
     * @param name what the file's name begins with, before a random part
     * @param suffix what it ends with
     * @param bytes that will be written
     * @param what needs the room, for the message, in the plural
     * @param remedy what to do, for the message
     * @throws IOException when there is too little room; no file is left
     */
    public static Path file(@Nullable Path folder, String name, String suffix, long bytes, String what, String remedy)
            throws IOException {
        Path file = Files.createTempFile(folder == null ? ProcessFolder.get() : folder, name, suffix);
        long free = Files.getFileStore(file).getUsableSpace();
        if (bytes <= free) {
            file.toFile().deleteOnExit();
            return file;
        }
        Files.delete(file);
        throw new IOException(what + " need " + (bytes >> 20) + " MiB in " + file.getParent() + ", which has "
                + (free >> 20) + " MiB free: " + remedy);
    }
}

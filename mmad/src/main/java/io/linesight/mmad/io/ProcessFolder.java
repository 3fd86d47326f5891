package io.linesight.mmad.io;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The folder for all temporary files of this process, in the one that {@code java.io.tmpdir} names. It goes when the
 * JVM ends. What killed processes have left goes at the next start: a living process holds a lock on its folder, which
 * other containers on the same disk see too. Thread-safe.
 */
public final class ProcessFolder {
    private static final Logger LOG = LoggerFactory.getLogger(ProcessFolder.class);
    private static final String PREFIX = "linesight-run-";
    private static final String LOCK = ".lock";
    /** Locks belong to the whole JVM, so its own folders cannot be told by them. */
    private static final Set<Path> OWN = new HashSet<>();

    private static @Nullable Path folder;

    private ProcessFolder() {}

    /**
     * The folder, made at the first call.
     *
     * @throws IOException with a message for people when it cannot be made
     */
    public static synchronized Path get() throws IOException {
        if (folder == null || !Files.isDirectory(folder)) {
            Path parent = Path.of(System.getProperty("java.io.tmpdir")).toAbsolutePath();
            try {
                sweep(parent);
                folder = make(parent);
            } catch (IOException e) {
                throw new IOException(
                        "no temporary files can be kept in " + parent
                                + (Files.isDirectory(parent) ? " (" + e.getMessage() + ")" : ", which is no folder")
                                + "; set LINESIGHT_JAVA_OPTS=-Djava.io.tmpdir=FOLDER to one that can be written",
                        e);
            }
        }
        return folder;
    }

    /** A new empty folder within it. */
    public static Path create(String prefix) throws IOException {
        return Files.createTempDirectory(get(), prefix);
    }

    static Path make(Path parent) throws IOException {
        Path made = Files.createTempDirectory(parent, PREFIX);
        OWN.add(made);
        FileChannel channel = FileChannel.open(made.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        // Held, and the channel open, until the process ends, however it ends.
        channel.lock();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> deleteQuietly(made), "linesight-temporary-files"));
        return made;
    }

    /** Deletes what killed processes have left. */
    static void sweep(Path parent) {
        try (DirectoryStream<Path> folders = Files.newDirectoryStream(parent, PREFIX + "*")) {
            for (Path left : folders) if (!OWN.contains(left) && isAbandoned(left)) deleteQuietly(left);
        } catch (IOException e) {
            LOG.debug("Temporary files of earlier processes stay in {}: {}", parent, e.toString());
        }
    }

    private static boolean isAbandoned(Path left) {
        Path file = left.resolve(LOCK);
        // One that has no lock file is being made at this moment, or is somebody else's.
        if (!Files.isRegularFile(file) || !Files.isWritable(file)) return false;
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE);
                FileLock lock = channel.tryLock()) {
            return lock != null;
        } catch (IOException | OverlappingFileLockException e) {
            return false;
        }
    }

    private static void deleteQuietly(Path left) {
        try (Stream<Path> files = Files.walk(left)) {
            List<Path> deepestFirst = files.sorted(Comparator.reverseOrder()).toList();
            for (Path file : deepestFirst) Files.deleteIfExists(file);
        } catch (IOException | RuntimeException e) {
            LOG.debug("{} was not deleted: {}", left, e.toString());
        }
    }
}

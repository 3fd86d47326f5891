package io.linesight.mmad.io;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
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
    /**
     * Its own folders: a lock belongs to the whole JVM, so they cannot be told by theirs. Nobody closes the locks, and
     * what nobody holds on to the garbage collector would.
     */
    private static final Map<Path, ExclusiveLock> OWN = new ConcurrentHashMap<>();

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
        OWN.put(made, ExclusiveLock.tryOn(made.resolve(LOCK)).orElseThrow(() -> new IOException(made + " is taken")));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> deleteQuietly(made), "linesight-temporary-files"));
        return made;
    }

    /** Deletes what killed processes have left. */
    static void sweep(Path parent) {
        try (DirectoryStream<Path> folders = Files.newDirectoryStream(parent, PREFIX + "*")) {
            for (Path left : folders) if (!OWN.containsKey(left) && isAbandoned(left)) deleteQuietly(left);
        } catch (IOException e) {
            LOG.debug("Temporary files of earlier processes stay in {}: {}", parent, e.toString());
        }
    }

    private static boolean isAbandoned(Path left) {
        Path file = left.resolve(LOCK);
        // One that has no lock file is being made at this moment, or is somebody else's.
        if (!Files.isRegularFile(file) || !Files.isWritable(file)) return false;
        try (ExclusiveLock lock = ExclusiveLock.tryOn(file).orElse(null)) {
            return lock != null;
        } catch (IOException e) {
            return false;
        }
    }

    private static void deleteQuietly(Path left) {
        try {
            Scratch.delete(left);
        } catch (IOException | RuntimeException e) {
            LOG.debug("{} was not deleted: {}", left, e.toString());
        }
    }
}

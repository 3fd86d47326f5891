package io.linesight.mmad.io;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * A lock on a file that only one holder has, in this process or another; it ends with {@link #close} or the process.
 */
public final class ExclusiveLock implements AutoCloseable {
    private final FileChannel channel;

    private ExclusiveLock(FileChannel channel) {
        this.channel = channel;
    }

    /**
     * Takes the lock without waiting.
     *
     * @param file made when absent; its folder must exist
     * @return nothing when somebody else has it
     */
    public static Optional<ExclusiveLock> tryOn(Path file) throws IOException {
        FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock lock = null;
        try {
            lock = channel.tryLock();
        } catch (OverlappingFileLockException held) {
            // By another holder in this process.
        } finally {
            if (lock == null) channel.close();
        }
        return lock == null ? Optional.empty() : Optional.of(new ExclusiveLock(channel));
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}

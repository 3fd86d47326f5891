package io.linesight.trainer.dataset;

import io.linesight.mmad.io.Scratch;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/**
 * Frames in a temporary file, so that images are decoded once: while they are checked, before the encoder spends its
 * hours on them. Deleted on {@link #close}. Not thread-safe.
 */
public final class FrameSpool implements AutoCloseable {
    private static final int BYTES = 3 * 256 * 256;

    private final Path file;
    private final FileChannel channel;
    private int size;

    private FrameSpool(Path file) throws IOException {
        this.file = file;
        channel = FileChannel.open(
                file, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.DELETE_ON_CLOSE);
    }

    /** @param workDir existing folder, or null for the system's temporary one */
    public static FrameSpool create(@Nullable Path workDir, int expected) throws IOException {
        return new FrameSpool(Scratch.file(
                workDir, "linesight-frames-", ".u8", (long) BYTES * expected, expected + " images", "make room there"));
    }

    /** Number of frames. */
    public int size() {
        return size;
    }

    /** Appends a planar 256x256 RGB frame. */
    public void add(byte[] frame) throws IOException {
        if (frame.length != BYTES)
            throw new IllegalArgumentException("a frame has " + BYTES + " bytes, got " + frame.length);
        ByteBuffer buffer = ByteBuffer.wrap(frame);
        long at = (long) size * BYTES;
        while (buffer.hasRemaining()) at += channel.write(buffer, at);
        size++;
    }

    /** A frame by number. */
    public byte[] get(int i) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(BYTES);
        long at = (long) i * BYTES;
        while (buffer.hasRemaining()) {
            int n = channel.read(buffer, at);
            if (n < 0) throw new IOException("the frames in " + file + " end early; was the file changed?");
            at += n;
        }
        return buffer.array();
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}

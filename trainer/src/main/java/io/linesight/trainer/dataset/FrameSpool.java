package io.linesight.trainer.dataset;

import io.linesight.mmad.io.Scratch;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Frames in a temporary file, so that images are decoded once: while they are checked, before the encoder spends its
 * hours on them. Deleted on {@link #close}. Not thread-safe.
 */
public final class FrameSpool implements AutoCloseable {
    /** Bytes of a view. */
    private static final int BYTES = 3 * 256 * 256;

    private final Path file;
    private final FileChannel channel;
    /** Where frames begin, and where the next one will. */
    private long[] starts = new long[64];

    private int size;

    private FrameSpool(Path file) throws IOException {
        this.file = file;
        channel = FileChannel.open(
                file, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.DELETE_ON_CLOSE);
    }

    /** @param workDir existing folder, or null for the system's temporary one */
    public static FrameSpool create(@Nullable Path workDir, int expected) throws IOException {
        return create(workDir, expected, expected);
    }

    /**
     * For frames of several views.
     *
     * @param views of all frames together
     */
    public static FrameSpool create(@Nullable Path workDir, int expected, long views) throws IOException {
        return new FrameSpool(Scratch.file(
                workDir, "linesight-frames-", ".u8", BYTES * views, expected + " images", "make room there"));
    }

    /** Number of frames. */
    public int size() {
        return size;
    }

    /** Appends a frame: a planar 256x256 RGB image, or several, one after the other. */
    public void add(byte[] frame) throws IOException {
        if (frame.length == 0 || frame.length % BYTES != 0)
            throw new IllegalArgumentException("a frame has " + BYTES + " bytes a view, got " + frame.length);
        ByteBuffer buffer = ByteBuffer.wrap(frame);
        long at = starts[size];
        while (buffer.hasRemaining()) at += channel.write(buffer, at);
        if (++size == starts.length) starts = Arrays.copyOf(starts, 2 * size);
        starts[size] = at;
    }

    /** A frame by number, with all its views. */
    public byte[] get(int i) throws IOException {
        return read(starts[i], (int) (starts[i + 1] - starts[i]));
    }

    /** One view of a frame. */
    public byte[] view(int i, int view) throws IOException {
        return read(starts[i] + (long) view * BYTES, BYTES);
    }

    private byte[] read(long from, int bytes) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(bytes);
        long at = from;
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

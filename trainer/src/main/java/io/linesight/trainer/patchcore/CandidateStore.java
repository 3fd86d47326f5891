package io.linesight.trainer.patchcore;

import io.linesight.mmad.io.Scratch;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/**
 * Patches that may come into the bank, as the encoder gives them, in a temporary file of float32 that is deleted on
 * {@link #close}; and the mean of their channels. Not thread-safe.
 */
final class CandidateStore implements AutoCloseable {
    private final Path file;
    private final FileChannel channel;
    private final int channels;
    private final ByteBuffer row;
    private final double[] sum;
    private int count;

    private CandidateStore(Path file, int channels) throws IOException {
        this.file = file;
        this.channels = channels;
        channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
        row = ByteBuffer.allocateDirect(channels * Float.BYTES).order(ByteOrder.nativeOrder());
        sum = new double[channels];
    }

    /** @param expected rows that will be added: refuses at once when the disk has no room for them */
    static CandidateStore create(@Nullable Path workDirOrNull, int channels, long expected) throws IOException {
        return new CandidateStore(
                Scratch.file(
                        workDirOrNull,
                        "linesight-patches-",
                        ".f32",
                        expected * channels * Float.BYTES,
                        "the " + expected + " patches to choose from",
                        "choose another work folder"),
                channels);
    }

    int size() {
        return count;
    }

    /** Appends one patch that starts at a place of an array. */
    void add(float[] patches, int at) throws IOException {
        row.clear();
        for (int k = 0; k < channels; k++) {
            float v = patches[at + k];
            sum[k] += v;
            row.putFloat(v);
        }
        row.flip();
        long position = (long) count * channels * Float.BYTES;
        while (row.hasRemaining()) position += channel.write(row, position);
        count++;
    }

    /** Reads one patch. */
    void read(int index, float[] to) throws IOException {
        row.clear();
        long position = (long) index * channels * Float.BYTES;
        while (row.hasRemaining()) {
            int n = channel.read(row, position);
            if (n < 0) throw new IOException("the file of patches " + file + " ended early; was it changed?");
            position += n;
        }
        row.flip();
        row.asFloatBuffer().get(to, 0, channels);
    }

    float[] mean() {
        float[] mean = new float[channels];
        for (int k = 0; k < channels; k++) mean[k] = (float) (sum[k] / count);
        return mean;
    }

    @Override
    public void close() throws IOException {
        channel.close();
        Files.deleteIfExists(file);
    }
}

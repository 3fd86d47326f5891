package io.linesight.trainer.features;

import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.encoder.EncoderSession;
import io.linesight.trainer.torch.Torch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * The frozen encoder's features of every training image, computed once and kept in a temporary file of float32 (the page cache keeps what fits;
 * the heap holds one image). Layout per image: [64*64,C0], [32*32,C1], [16*16,C2], channels last, as the network wants them. The file is
 * deleted on {@link #close}. Not thread-safe.
 */
public final class FeatureStore implements AutoCloseable {
    private final Path file;
    private final FileChannel channel;
    private final List<Integer> channels;
    private final long[] offset = new long[4];
    private final ByteBuffer row;
    private final double[][] sum = new double[3][];
    private final double[][] squares = new double[3][];
    private int count;

    private FeatureStore(Path file, List<Integer> channels) throws IOException {
        this.file = file;
        this.channels = channels;
        this.channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
        for (int i = 0; i < 3; i++) {
            offset[i + 1] = offset[i] + (long) pixels(i) * channels.get(i);
            sum[i] = new double[channels.get(i)];
            squares[i] = new double[channels.get(i)];
        }
        row = ByteBuffer.allocateDirect(Math.toIntExact(offset[3] * Float.BYTES)).order(ByteOrder.nativeOrder());
    }

    /**
     * An empty store.
     *
     * @param workDir  existing folder for the file, or null for the system's temporary folder
     * @param expected images that will be added: refuses at once when the disk has no room for them
     */
    public static FeatureStore create(Path workDir, Encoder encoder, int expected) throws IOException {
        Path file = workDir == null ? Files.createTempFile("linesight-features-", ".f32") : Files.createTempFile(workDir, "linesight-features-", ".f32");
        file.toFile().deleteOnExit();
        FeatureStore store = new FeatureStore(file, encoder.channels());
        long bytes = store.offset[3] * Float.BYTES * expected;
        long free = Files.getFileStore(file).getUsableSpace();
        if (bytes > free) {
            store.close();
            throw new IOException("the features of " + expected + " images need " + (bytes >> 20) + " MiB in " + file.getParent() + ", which has " + (free >> 20)
                    + " MiB free: choose another work folder or fewer images");
        }
        return store;
    }

    private static int pixels(int scale) {
        return (64 >> scale) * (64 >> scale);
    }

    /** Number of images. */
    public int size() {
        return count;
    }

    /** Encodes and appends a batch of planar 256x256 RGB frames. */
    public void add(EncoderSession session, List<byte[]> frames) throws IOException {
        float[][] maps = session.features(frames);
        for (int b = 0; b < frames.size(); b++) {
            for (int i = 0; i < 3; i++) append(maps[i], b, i);
            row.position(0).limit(row.capacity());
            long at = count * offset[3] * Float.BYTES;
            while (row.hasRemaining()) at += channel.write(row, at);
            count++;
        }
    }

    private void append(float[] maps, int image, int scale) {
        int c = channels.get(scale);
        int pixels = pixels(scale);
        int from = image * c * pixels;
        int to = (int) offset[scale];
        for (int k = 0; k < c; k++) {
            double s = 0;
            double s2 = 0;
            for (int q = 0; q < pixels; q++) {
                float v = maps[from + k * pixels + q];
                s += v;
                s2 += (double) v * v;
                row.putFloat((to + q * c + k) * Float.BYTES, v);
            }
            sum[scale][k] += s;
            squares[scale][k] += s2;
        }
    }

    /** Mean of one scale's channels over all images and pixels. */
    public float[] mean(int scale) {
        float[] m = new float[channels.get(scale)];
        double n = (double) count * pixels(scale);
        for (int k = 0; k < m.length; k++) m[k] = (float) (sum[scale][k] / n);
        return m;
    }

    /** Standard deviation of one scale's channels over all images and pixels. */
    public float[] deviation(int scale) {
        float[] d = new float[channels.get(scale)];
        double n = (double) count * pixels(scale);
        for (int k = 0; k < d.length; k++) {
            double m = sum[scale][k] / n;
            d[k] = (float) Math.sqrt(Math.max(0, squares[scale][k] / n - m * m));
        }
        return d;
    }

    /** Features of some images as three tensors [B,L,C], finest first, in the caller's pointer scope. */
    public List<Tensor> batch(int[] images) {
        List<Tensor> batch = new ArrayList<>();
        try {
            for (int i = 0; i < 3; i++) {
                Tensor t = Torch.empty(images.length, pixels(i), channels.get(i));
                ByteBuffer memory = t.data_ptr().capacity(t.numel() * Float.BYTES).asByteBuffer();
                int bytes = Math.toIntExact((offset[i + 1] - offset[i]) * Float.BYTES);
                for (int b = 0; b < images.length; b++) {
                    memory.limit((b + 1) * bytes).position(b * bytes);
                    long at = (images[b] * offset[3] + offset[i]) * Float.BYTES;
                    while (memory.hasRemaining()) {
                        int n = channel.read(memory, at);
                        if (n < 0) throw new IOException("the feature file ended early; was it changed?");
                        at += n;
                    }
                }
                batch.add(t);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("features cannot be read from " + file, e);
        }
        return batch;
    }

    @Override
    public void close() throws IOException {
        channel.close();
        Files.deleteIfExists(file);
    }
}

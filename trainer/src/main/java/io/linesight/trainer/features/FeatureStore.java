package io.linesight.trainer.features;

import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.encoder.EncoderSession;
import io.linesight.mmad.io.Scratch;
import io.linesight.trainer.torch.Torch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * The frozen encoder's features of every training image, computed once and kept in a file (the page cache keeps what
 * fits; the heap holds one image). Layout per image: [64*64,C0], [32*32,C1], [16*16,C2], channels last, as the network
 * wants them. The file is a temporary one that is deleted on {@link #close}, or belongs to a {@link FeatureCache}. Not
 * thread-safe.
 */
public final class FeatureStore implements AutoCloseable {
    /** The temporary file; null with a cache. */
    private final @Nullable Path file;

    private final @Nullable FileChannel channel;
    private final @Nullable FeatureCache cache;
    private final FeatureShape shape;
    private final ByteBuffer row;
    private final double[][] sum = new double[FeatureShape.SCALES][];
    private final double[][] squares = new double[FeatureShape.SCALES][];
    /** Where each image lies, in records from the file's beginning. */
    private final List<Integer> slots = new ArrayList<>();

    private int encoded;

    private FeatureStore(@Nullable Path file, @Nullable FeatureCache cache, FeatureShape shape) throws IOException {
        this.file = file;
        this.cache = cache;
        this.shape = shape;
        this.channel = cache != null ? null : FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
        for (int i = 0; i < FeatureShape.SCALES; i++) {
            sum[i] = new double[shape.channels(i)];
            squares[i] = new double[shape.channels(i)];
        }
        row = shape.record();
    }

    /**
     * An empty store.
     *
     * @param workDir existing folder for the file, or null for the system's temporary folder
     * @param expected images that will be added: refuses at once when the disk has no room for them
     */
    public static FeatureStore create(@Nullable Path workDir, Encoder encoder, FeatureType type, int expected)
            throws IOException {
        FeatureShape shape = new FeatureShape(encoder, type);
        return new FeatureStore(
                Scratch.file(
                        workDir,
                        "linesight-features-",
                        type.extension(),
                        (long) shape.recordBytes() * expected,
                        "the features of " + expected + " images",
                        "choose another work folder or fewer images"),
                null,
                shape);
    }

    /**
     * An empty store over a cache: what the cache knows is not encoded again, what it does not know is added to it.
     *
     * @param cache opened for the same encoder; stays the caller's to close, after this
     */
    public static FeatureStore over(FeatureCache cache, Encoder encoder) throws IOException {
        return new FeatureStore(null, cache, new FeatureShape(encoder, cache.type()));
    }

    /** What a cache finds a planar 256x256 RGB frame by: SHA-256 of its bytes. */
    public static byte[] key(byte[] frame) {
        return FeatureShape.key(frame);
    }

    /** Bytes that one image's features take. */
    public static long imageBytes(Encoder encoder, FeatureType type) {
        return new FeatureShape(encoder, type).recordBytes();
    }

    /** Number of images. */
    public int size() {
        return slots.size();
    }

    /** Number of images that went through the encoder; the others came from the cache. */
    public int encoded() {
        return encoded;
    }

    /** Appends a batch of planar 256x256 RGB frames, those that are not known encoded. */
    public void add(EncoderSession session, List<byte[]> frames) throws IOException {
        if (cache == null) {
            float[][] maps = session.features(frames);
            for (int b = 0; b < frames.size(); b++) {
                shape.fill(row, maps, b);
                count();
                long at = (long) slots.size() * shape.recordBytes();
                while (row.hasRemaining()) at += channel.write(row, at);
                slots.add(slots.size());
                encoded++;
            }
            return;
        }
        List<byte[]> keys = frames.stream().map(FeatureStore::key).toList();
        List<Integer> unknown = new ArrayList<>();
        for (int i = 0; i < keys.size(); i++) if (!cache.find(keys.get(i), row)) unknown.add(i);
        if (!unknown.isEmpty()) {
            float[][] maps = session.features(unknown.stream().map(frames::get).toList());
            for (int b = 0; b < unknown.size(); b++) {
                byte[] key = keys.get(unknown.get(b));
                if (cache.has(key)) continue; // twice in this batch
                shape.fill(row, maps, b);
                cache.append(key, row);
                encoded++;
            }
        }
        // In the frames' order whatever was known, so that the statistics are the same to the last bit.
        for (byte[] key : keys) {
            if (!cache.find(key, row))
                throw new IOException("the feature cache lost what was just written to it; is the disk damaged?");
            count();
            slots.add(cache.slot(key));
        }
    }

    /** Takes the row into the statistics. */
    private void count() {
        FeatureType type = shape.type();
        for (int i = 0; i < FeatureShape.SCALES; i++) {
            int c = shape.channels(i);
            double[] s = new double[c];
            double[] s2 = new double[c];
            int at = shape.from(i);
            for (int q = 0; q < FeatureShape.pixels(i); q++) {
                for (int k = 0; k < c; k++, at += type.bytes()) {
                    float v = type.get(row, at);
                    s[k] += v;
                    s2[k] += (double) v * v;
                }
            }
            for (int k = 0; k < c; k++) {
                sum[i][k] += s[k];
                squares[i][k] += s2[k];
            }
        }
    }

    /** Mean of one scale's channels over all images and pixels. */
    public float[] mean(int scale) {
        float[] m = new float[shape.channels(scale)];
        double n = (double) size() * FeatureShape.pixels(scale);
        for (int k = 0; k < m.length; k++) m[k] = (float) (sum[scale][k] / n);
        return m;
    }

    /** Standard deviation of one scale's channels over all images and pixels. */
    public float[] deviation(int scale) {
        float[] d = new float[shape.channels(scale)];
        double n = (double) size() * FeatureShape.pixels(scale);
        for (int k = 0; k < d.length; k++) {
            double m = sum[scale][k] / n;
            d[k] = (float) Math.sqrt(Math.max(0, squares[scale][k] / n - m * m));
        }
        return d;
    }

    /** Features of some images as three tensors [B,L,C], finest first, in the caller's pointer scope. */
    public List<Tensor> batch(int[] images) {
        List<Tensor> batch = new ArrayList<>();
        FileChannel from = cache == null ? channel : cache.channel();
        try {
            for (int i = 0; i < FeatureShape.SCALES; i++) {
                Tensor t = Torch.empty(images.length, FeatureShape.pixels(i), shape.channels(i));
                boolean half = shape.type() == FeatureType.FLOAT16;
                if (half) t = t.to(torch.ScalarType.Half);
                ByteBuffer memory =
                        t.data_ptr().capacity(t.numel() * shape.type().bytes()).asByteBuffer();
                int bytes = shape.bytes(i);
                for (int b = 0; b < images.length; b++) {
                    memory.limit((b + 1) * bytes).position(b * bytes);
                    long at = (long) slots.get(images[b]) * shape.recordBytes() + shape.from(i);
                    while (memory.hasRemaining()) {
                        int n = from.read(memory, at);
                        if (n < 0) throw new IOException("the feature file ended early; was it changed?");
                        at += n;
                    }
                }
                batch.add(Torch.onDevice(half ? t.to(torch.ScalarType.Float) : t));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "features cannot be read" + (file == null ? " from the cache" : " from " + file), e);
        }
        return batch;
    }

    @Override
    public void close() throws IOException {
        if (cache != null) return;
        channel.close();
        Files.deleteIfExists(file);
    }
}

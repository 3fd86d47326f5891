package io.linesight.streams.drift;

import com.tdunning.math.stats.Centroid;
import com.tdunning.math.stats.MergingDigest;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A distribution in at most about 400 bytes: a t-digest, most exact in the tails. It tosses no coins, so that the same
 * values in the same order make the same bytes again after a crash; KLL sketches do not. Opened when it is needed.
 */
final class Sketch {
    private static final double COMPRESSION = 50;

    private byte[] bytes;
    private @Nullable MergingDigest digest;

    Sketch() {
        this(new byte[0]);
    }

    /** @param bytes of {@link #toBytes}; kept */
    Sketch(byte[] bytes) {
        this.bytes = bytes;
    }

    private MergingDigest open() {
        MergingDigest open = digest;
        if (open == null) {
            try {
                open = bytes.length == 0
                        ? new MergingDigest(COMPRESSION)
                        : MergingDigest.fromBytes(ByteBuffer.wrap(bytes));
            } catch (IllegalStateException | BufferUnderflowException | IndexOutOfBoundsException e) {
                throw new IllegalArgumentException("a sketch cannot be read", e);
            }
            digest = open;
        }
        return open;
    }

    /** A value that is not finite is passed over. */
    void add(float value) {
        if (Float.isFinite(value)) open().add(value);
    }

    void merge(Sketch other) {
        // One by one: the library's own way shuffles them first.
        if (other.size() > 0) for (Centroid c : other.open().centroids()) open().add(c.mean(), c.count());
    }

    long size() {
        return digest == null && bytes.length == 0 ? 0 : open().size();
    }

    /** Not a number where there are no values. */
    double quantile(double q) {
        return open().quantile(q);
    }

    byte[] toBytes() {
        if (digest == null) return bytes;
        if (digest.size() == 0) return new byte[0];
        ByteBuffer buffer = ByteBuffer.allocate(digest.smallByteSize());
        digest.asSmallBytes(buffer);
        bytes = buffer.array();
        // What was rounded for the bytes is what counts from here on, whether there is a restart or not.
        digest = null;
        return bytes;
    }
}

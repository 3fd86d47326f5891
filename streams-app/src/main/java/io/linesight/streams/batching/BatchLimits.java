package io.linesight.streams.batching;

import java.time.Duration;

/**
 * How frames are gathered.
 *
 * @param maxBatch max frames of a batch, 1 or more
 * @param linger max wait of a frame for a batch to fill; zero means as soon as the model is free
 * @param capacity max frames queued, at least {@code maxBatch}; further ones block
 */
public record BatchLimits(int maxBatch, Duration linger, int capacity) {
    public BatchLimits {
        if (maxBatch < 1) throw new IllegalArgumentException("maxBatch must be at least 1, got " + maxBatch);
        if (linger.isNegative()) throw new IllegalArgumentException("linger must not be negative, got " + linger);
        if (capacity < maxBatch)
            throw new IllegalArgumentException("capacity " + capacity + " is smaller than a batch of " + maxBatch);
    }

    /** While a batch runs, the next one fills. */
    public static BatchLimits of(int maxBatch, Duration linger) {
        return new BatchLimits(maxBatch, linger, 2 * maxBatch);
    }
}

package io.linesight.streams.routing;

import java.util.Arrays;

/**
 * Recent inference times per frame, apart for batches of 1, 2-3, 4-7, ... frames: a frame costs less in a large batch,
 * and two models seldom get batches of the same size. Not thread-safe.
 */
final class Latencies {

    private static final int KEPT = 128;
    private static final int MIN_SAMPLES = 20;
    private static final int SIZES = 12;

    private final long[][] nanos = new long[SIZES][];
    private final int[] counts = new int[SIZES];

    void add(int batchSize, long nanosPerFrame) {
        int size = Math.min(SIZES - 1, 31 - Integer.numberOfLeadingZeros(Math.max(1, batchSize)));
        if (nanos[size] == null) nanos[size] = new long[KEPT];
        nanos[size][counts[size]++ % KEPT] = nanosPerFrame;
        if (counts[size] == 2 * KEPT) counts[size] = KEPT;
    }

    /**
     * p95 of these over p95 of the others, averaged over the sizes that both have enough of; NaN when there is no such
     * size.
     */
    double ratioTo(Latencies others) {
        double sum = 0;
        int weight = 0;
        for (int size = 0; size < SIZES; size++) {
            int n = Math.min(KEPT, counts[size]);
            if (n < MIN_SAMPLES || others.counts[size] < MIN_SAMPLES) continue;
            sum += n * (double) p95(size) / Math.max(1, others.p95(size));
            weight += n;
        }
        return weight == 0 ? Double.NaN : sum / weight;
    }

    private long p95(int size) {
        int n = Math.min(KEPT, counts[size]);
        long[] sorted = Arrays.copyOf(nanos[size], n);
        Arrays.sort(sorted);
        return sorted[(n * 95 - 1) / 100];
    }
}

package io.linesight.trainer.patchcore;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.ForkJoinPool;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/**
 * Greedy k-centre choice: starting anywhere, always the candidate that is farthest from all chosen so far. So rare
 * kinds of normal patches come in early and frequent ones only once.
 *
 * <p>Candidates lie in blocks of {@value #BLOCK}, one dimension of all of a block after the other, so that the compiler
 * turns the inner loop into vector instructions by itself; the Vector API would have to agree on a width with the scan
 * kernels of the process.
 */
public final class Coreset {
    /** Candidates worked on together: 128 dimensions of them stay in the second-level cache. */
    static final int BLOCK = 256;
    /** Dimensions per pass over a block's distances. */
    private static final int UNROLL = 8;

    private final int dimensions;
    private final int count;
    private final float[][] blocks;
    private final float[][] nearest;

    /**
     * @param count candidates that will be {@linkplain #put given}
     * @param dimensions a multiple of 8
     */
    public Coreset(int count, int dimensions) {
        if (dimensions % UNROLL != 0)
            throw new IllegalArgumentException("dimensions must be a multiple of " + UNROLL + ", got " + dimensions);
        this.dimensions = dimensions;
        this.count = count;
        int n = (count + BLOCK - 1) / BLOCK;
        blocks = new float[n][dimensions * BLOCK];
        nearest = new float[n][BLOCK];
    }

    /** Places one candidate; different candidates may be placed by different threads. */
    public void put(int index, float[] vector) {
        float[] block = blocks[index / BLOCK];
        for (int k = 0; k < dimensions; k++) block[k * BLOCK + index % BLOCK] = vector[k];
    }

    /**
     * Chooses.
     *
     * @param wanted most to choose; fewer are chosen when the others are copies of those
     * @param pool works on the blocks; the choice does not depend on its threads
     * @param progress told the number chosen, now and then
     * @return indices in the order they were chosen
     */
    public int[] choose(int wanted, SplittableRandom random, ForkJoinPool pool, IntConsumer progress) {
        int limit = Math.min(wanted, count);
        int[] chosen = new int[limit];
        for (float[] block : nearest) Arrays.fill(block, Float.POSITIVE_INFINITY);
        int next = random.nextInt(count);
        float[] centre = new float[dimensions];
        int[] farthest = new int[blocks.length];
        for (int n = 0; n < limit; n++) {
            chosen[n] = next;
            for (int k = 0; k < dimensions; k++) centre[k] = blocks[next / BLOCK][k * BLOCK + next % BLOCK];
            pool.submit(() ->
                            IntStream.range(0, blocks.length).parallel().forEach(b -> farthest[b] = update(b, centre)))
                    .join();
            float best = 0;
            next = -1;
            // Of equally far ones the first, whatever the threads did.
            for (int b = 0; b < blocks.length; b++) {
                float d = nearest[b][farthest[b]];
                if (d > best) {
                    best = d;
                    next = b * BLOCK + farthest[b];
                }
            }
            progress.accept(n + 1);
            if (next < 0) return Arrays.copyOf(chosen, n + 1);
        }
        return chosen;
    }

    /** Brings a block's distances up to date with a new centre and tells which of its candidates is farthest. */
    private int update(int b, float[] centre) {
        float[] distance = new float[BLOCK];
        float[] block = blocks[b];
        for (int k = 0; k < dimensions; k += UNROLL) accumulate(block, k, centre, distance);
        float[] min = nearest[b];
        int candidates = Math.min(BLOCK, count - b * BLOCK);
        int at = 0;
        for (int j = 0; j < candidates; j++) {
            if (distance[j] < min[j]) min[j] = distance[j];
            if (min[j] > min[at]) at = j;
        }
        return at;
    }

    /** Adds the squared differences in eight dimensions. */
    private static void accumulate(float[] x, int first, float[] centre, float[] sum) {
        float c0 = centre[first], c1 = centre[first + 1], c2 = centre[first + 2], c3 = centre[first + 3];
        float c4 = centre[first + 4], c5 = centre[first + 5], c6 = centre[first + 6], c7 = centre[first + 7];
        int o = first * BLOCK;
        for (int j = 0; j < BLOCK; j++) {
            float d0 = x[o + j] - c0,
                    d1 = x[o + BLOCK + j] - c1,
                    d2 = x[o + 2 * BLOCK + j] - c2,
                    d3 = x[o + 3 * BLOCK + j] - c3;
            float d4 = x[o + 4 * BLOCK + j] - c4,
                    d5 = x[o + 5 * BLOCK + j] - c5,
                    d6 = x[o + 6 * BLOCK + j] - c6,
                    d7 = x[o + 7 * BLOCK + j] - c7;
            sum[j] += d0 * d0 + d1 * d1 + d2 * d2 + d3 * d3 + (d4 * d4 + d5 * d5 + d6 * d6 + d7 * d7);
        }
    }
}

package io.linesight.trainer.patchcore;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ForkJoinPool;
import org.junit.jupiter.api.Test;

class CoresetTest {
    private static final int DIMENSIONS = 16;

    private static float[][] points(int count, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        float[][] points = new float[count][DIMENSIONS];
        for (float[] p : points) for (int k = 0; k < DIMENSIONS; k++) p[k] = (float) random.nextGaussian();
        return points;
    }

    private static int[] choose(float[][] points, int wanted, int threads) {
        Coreset coreset = new Coreset(points.length, DIMENSIONS);
        for (int i = 0; i < points.length; i++) coreset.put(i, points[i]);
        ForkJoinPool pool = new ForkJoinPool(threads);
        try {
            return coreset.choose(wanted, new SplittableRandom(3), pool, n -> {});
        } finally {
            pool.shutdown();
        }
    }

    private static double distance(float[] a, float[] b) {
        double sum = 0;
        for (int k = 0; k < a.length; k++) sum += (a[k] - b[k]) * (a[k] - b[k]);
        return sum;
    }

    private static List<Integer> naive(float[][] points, int first, int wanted) {
        List<Integer> chosen = new ArrayList<>(List.of(first));
        while (chosen.size() < wanted) {
            int best = -1;
            double far = -1;
            for (int i = 0; i < points.length; i++) {
                double nearest = Double.POSITIVE_INFINITY;
                for (int c : chosen) nearest = Math.min(nearest, distance(points[i], points[c]));
                if (nearest > far) {
                    far = nearest;
                    best = i;
                }
            }
            chosen.add(best);
        }
        return chosen;
    }

    @Test
    void shouldChooseWhatTheDefinitionChooses() {
        float[][] points = points(Coreset.BLOCK * 2 + 37, 1);
        int[] chosen = choose(points, 60, 2);
        assertThat(chosen)
                .containsExactly(naive(points, chosen[0], 60).stream()
                        .mapToInt(Integer::intValue)
                        .toArray());
    }

    @Test
    void shouldChooseTheSameWithAnyNumberOfThreads() {
        float[][] points = points(2000, 2);
        assertThat(choose(points, 100, 4)).isEqualTo(choose(points, 100, 1)).doesNotHaveDuplicates();
    }

    @Test
    void shouldStopWhereOnlyCopiesAreLeft() {
        float[][] points = points(700, 4);
        for (int i = 5; i < points.length; i++) points[i] = points[i % 5];
        int[] chosen = choose(points, 50, 2);
        assertThat(chosen).hasSize(5);
        assertThat(java.util.Arrays.stream(chosen).map(i -> i % 5)).containsExactlyInAnyOrder(0, 1, 2, 3, 4);
    }

    @Test
    void shouldChooseAllWhenMoreAreWanted() {
        assertThat(choose(points(90, 5), 1000, 2)).hasSize(90).doesNotHaveDuplicates();
    }

    @Test
    void shouldShareFairly() {
        assertThat(Shares.of(10, new long[] {100, 100, 100})).containsExactly(4, 3, 3);
        assertThat(Shares.of(100, new long[] {5, 1000, 1000})).containsExactly(5, 48, 47);
        assertThat(Shares.of(100, new long[] {5, 0, 7})).containsExactly(5, 0, 7);
    }

    @Test
    void shouldAboutKeepDistancesWhenProjecting() {
        SplittableRandom random = new SplittableRandom(9);
        Projection projection = new Projection(700, 128, random);
        for (int n = 0; n < 20; n++) {
            float[] a = new float[700];
            for (int k = 0; k < a.length; k++) a[k] = (float) random.nextGaussian();
            float[] p = projection.of(a);
            assertThat(distance(p, new float[128]) / distance(a, new float[700]))
                    .isBetween(0.6, 1.5);
        }
    }
}

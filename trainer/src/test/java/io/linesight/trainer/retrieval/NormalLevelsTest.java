package io.linesight.trainer.retrieval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.linesight.mmad.architecture.PatchMemory;
import io.linesight.mmad.architecture.Tensor;
import io.linesight.mmad.scan.NearestPatches;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class NormalLevelsTest {
    private static final int CHANNELS = 8;
    private static final int IMAGES = 12;

    private final PatchMemory fine = PatchMemory.create(IMAGES, CHANNELS, 8);
    private final PatchMemory coarse = PatchMemory.create(IMAGES, CHANNELS, 4);
    private final float[][] means = new float[IMAGES][5];

    /** Images of a common look; {@code spread} says how much each differs from it. */
    private void images(int from, int to, long look, double spread) {
        for (int i = from; i < to; i++) {
            remember(fine, i, look, spread);
            remember(coarse, i, look + 1, spread);
            Random random = new Random(100 + i);
            for (int c = 0; c < 5; c++) means[i][c] = (float) (look + random.nextGaussian());
        }
    }

    private static void remember(PatchMemory memory, int image, long look, double spread) {
        Random common = new Random(look);
        Random own = new Random(1000 * look + image);
        float[] x = new float[CHANNELS * memory.places()];
        for (int k = 0; k < x.length; k++) x[k] = (float) (common.nextGaussian() + spread * own.nextGaussian());
        memory.remember(image, x, 0);
    }

    private List<Tensor> levels(int[] products, int[] groups) {
        return new NormalLevels(List.of(fine, coarse), MeanFeatures.of(means), products, groups, null, 50, 1).fit();
    }

    private static double mean(Tensor levels, int product, int which) {
        int places = levels.shape()[2];
        return IntStream.range(0, places)
                .mapToDouble(i -> levels.data()[(2 * product + which) * places + i])
                .average()
                .orElseThrow();
    }

    private static int[] alone() {
        return IntStream.range(0, IMAGES).toArray();
    }

    @Test
    void shouldCompareEveryImageWithTheOthersOnly() {
        images(0, IMAGES, 7, 0.3);
        List<Tensor> levels = levels(new int[IMAGES], alone());
        double sum = 0;
        for (int i = 0; i < IMAGES; i++) {
            int image = i;
            int[] others = IntStream.range(0, IMAGES).filter(o -> o != image).toArray();
            for (float d : NearestPatches.distances(fine, fine.features(i), others, 1)) sum += Math.log(d + 1e-6);
        }
        // By place no less than the whole image's mean, hence a little above it.
        assertThat(mean(levels.get(0), 0, 0)).isBetween(sum / IMAGES / 64, sum / IMAGES / 64 + 0.3);
        assertThat(mean(levels.get(0), 0, 0)).as("not with itself").isGreaterThan(Math.log(1e-3));
    }

    @Test
    void shouldNotCompareWithinAGroup() {
        images(0, IMAGES, 7, 0.3);
        // Every image twice: without groups each finds its twin.
        for (int i = 1; i < IMAGES; i += 2) {
            fine.remember(i, fine.features(i - 1), 0);
            coarse.remember(i, coarse.features(i - 1), 0);
        }
        double twins = mean(levels(new int[IMAGES], alone()).get(0), 0, 0);
        int[] pairs = IntStream.range(0, IMAGES).map(i -> i / 2).toArray();
        double apart = mean(levels(new int[IMAGES], pairs).get(0), 0, 0);
        assertThat(twins).isLessThan(Math.log(1e-3));
        assertThat(apart).isGreaterThan(twins + 2);
    }

    @Test
    void shouldLeaveAFoldOutOfItsOwnLevels() {
        images(0, 6, 7, 0.1);
        images(6, IMAGES, 7, 0.6);
        int[] folds = IntStream.range(0, IMAGES).map(i -> i / 3).toArray();
        NormalLevels levels =
                new NormalLevels(List.of(fine, coarse), MeanFeatures.of(means), new int[IMAGES], folds, null, 50, 1);
        double all = mean(levels.fit().get(0), 0, 0);
        assertThat(mean(levels.without(0).get(0), 0, 0))
                .as("without clean ones")
                .isGreaterThan(all + 0.1);
        assertThat(mean(levels.without(3).get(0), 0, 0))
                .as("without noisy ones")
                .isLessThan(all - 0.1);
        assertThat(levels.without(7).get(0).data())
                .as("no fold")
                .isEqualTo(levels.fit().get(0).data());
    }

    @Test
    void shouldHaveLevelsOfEveryProduct() {
        images(0, 6, 7, 0.1);
        images(6, IMAGES, 20, 0.5);
        int[] products = IntStream.range(0, IMAGES).map(i -> i / 6).toArray();
        Tensor levels = levels(products, alone()).get(0);
        assertThat(levels.shape()).containsExactly(2, 2, 64);
        assertThat(mean(levels, 1, 0)).isGreaterThan(mean(levels, 0, 0) + 1);
        assertThat(mean(levels, 0, 1)).isPositive();
    }

    @Test
    void shouldBorrowLevelsWhereAProductHasASingleImage() {
        images(0, 11, 7, 0.2);
        images(11, IMAGES, 20, 0.2);
        int[] products = IntStream.range(0, IMAGES).map(i -> i / 11).toArray();
        for (Tensor levels : levels(products, alone())) {
            assertThat(mean(levels, 1, 0)).isCloseTo(mean(levels, 0, 0), within(1e-5));
            assertThat(mean(levels, 1, 1)).isCloseTo(mean(levels, 0, 1), within(1e-5));
        }
    }

    @Test
    void shouldChooseImagesThatStandForTheOthers() {
        for (int i = 0; i < IMAGES; i++) means[i] = new float[] {i % 3 * 10, 0.01f * i, 1, 0, 0};
        java.util.concurrent.ForkJoinPool pool = new java.util.concurrent.ForkJoinPool(2);
        try {
            int[] chosen = MeanFeatures.of(means).representatives(0, IMAGES, 3, 5, pool);
            assertThat(chosen).hasSize(3).isSorted();
            assertThat(IntStream.of(chosen).map(i -> i % 3).distinct().count()).isEqualTo(3);
            assertThat(MeanFeatures.of(means).representatives(3, 7, 9, 5, pool)).containsExactly(3, 4, 5, 6);
        } finally {
            pool.shutdown();
        }
    }
}

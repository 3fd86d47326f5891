package io.linesight.mmad.scan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.linesight.mmad.architecture.PatchMemory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NearestPatchesTest {
    private static PatchComparison random(long seed, int batch, int channels, int height, int width, int images) {
        Random random = new Random(seed);
        byte[] memory = new byte[images * height * width * channels];
        random.nextBytes(memory);
        float[] scale = new float[images * height * width];
        for (int i = 0; i < scale.length; i++) scale[i] = (0.5f + random.nextFloat()) / (70f * channels);
        FloatBuffer[] x = new FloatBuffer[batch];
        FloatBuffer[] y = new FloatBuffer[batch];
        int[][] picks = new int[batch][];
        for (int b = 0; b < batch; b++) {
            float[] values = new float[channels * height * width];
            for (int i = 0; i < values.length; i++) values[i] = (float) random.nextGaussian();
            x[b] = FloatBuffer.wrap(values);
            y[b] = FloatBuffer.allocate(height * width);
            picks[b] = random.ints(1 + random.nextInt(images), 0, images).toArray();
        }
        IntBuffer ints = ByteBuffer.wrap(memory).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer();
        return new PatchComparison(channels, height, width, x, picks, ints, FloatBuffer.wrap(scale), y);
    }

    private static float[][] results(PatchComparison data) {
        float[][] out = new float[data.batch()][];
        for (int b = 0; b < out.length; b++) out[b] = data.y()[b].array().clone();
        return out;
    }

    @ParameterizedTest
    @CsvSource({
        "1, 1, 4, 1, 1, 1, 1",
        "2, 2, 8, 3, 5, 4, 1",
        "3, 1, 12, 9, 7, 3, 4",
        "4, 1, 128, 32, 32, 9, 1",
        "5, 1, 64, 32, 32, 9, 3",
        "6, 3, 256, 16, 16, 20, 2",
        "7, 1, 20, 17, 33, 6, 8"
    })
    void shouldAgreeWithPlainJava(long seed, int batch, int channels, int height, int width, int images, int threads) {
        PatchComparison data = random(seed, batch, channels, height, width, images);
        PlainNearest.run(data);
        float[][] expected = results(data);
        NearestKernel.run(data, threads);
        float[][] found = results(data);
        for (int b = 0; b < batch; b++)
            for (int p = 0; p < expected[b].length; p++)
                assertThat(found[b][p]).isCloseTo(expected[b][p], within(2e-6f));
    }

    @Test
    void shouldNotDependOnTheNumberOfThreads() {
        PatchComparison data = random(8, 1, 32, 32, 32, 7);
        NearestKernel.run(data, 1);
        float[][] one = results(data);
        NearestKernel.run(data, 4);
        assertThat(results(data)).isDeepEqualTo(one);
    }

    /** Written out by hand: a pattern that lies one place further is found, two places further it is not. */
    @ParameterizedTest
    @CsvSource({"0, 0, true", "1, 0, true", "-1, 1, true", "0, -1, true", "2, 0, false", "0, 2, false"})
    void shouldFindAPatchOnlyNearItsPlace(int right, int down, boolean found) {
        int side = 8;
        PatchMemory memory = PatchMemory.create(2, 4, side);
        float[] known = new float[4 * side * side];
        for (int p = 0; p < side * side; p++) known[p] = 1;
        int place = 4 * side + 4;
        known[(4 + down) * side + 4 + right] = 0;
        known[side * side + (4 + down) * side + 4 + right] = 1;
        memory.remember(1, known, 0);
        float[] seen = new float[4 * side * side];
        for (int p = 0; p < side * side; p++) seen[p] = 1;
        seen[place] = 0;
        seen[side * side + place] = 3;
        float[] distance = NearestPatches.distances(memory, seen, new int[] {1}, 1);
        assertThat(distance[place]).isCloseTo(found ? 0f : 1f, within(1e-6f));
        assertThat(distance[0]).isCloseTo(0, within(1e-6f));
        // The other image is all zeros, and nothing is like it.
        assertThat(NearestPatches.distances(memory, seen, new int[] {0}, 1)).containsOnly(1f);
    }

    @Test
    void shouldNeverPreferPlacesBeyondTheBorder() {
        PatchMemory memory = PatchMemory.create(1, 4, 3);
        float[] known = new float[36];
        float[] seen = new float[36];
        for (int p = 0; p < 9; p++) {
            known[p] = 1;
            seen[p] = -1;
        }
        memory.remember(0, known, 0);
        assertThat(NearestPatches.distances(memory, seen, new int[] {0}, 1)).containsOnly(2f);
    }

    @Test
    void shouldShowNaNAtItsPlaceAlone() {
        PatchComparison data = random(9, 2, 16, 6, 6, 3);
        data.x()[1].put(5 * 36 + 14, Float.NaN);
        for (int way = 0; way < 2; way++) {
            if (way == 0) PlainNearest.run(data);
            else NearestKernel.run(data, 2);
            for (float d : results(data)[0]) assertThat(d).isFinite();
            float[] broken = results(data)[1];
            for (int p = 0; p < 36; p++)
                assertThat(Float.isNaN(broken[p])).as("place " + p).isEqualTo(p == 14);
        }
    }

    @Test
    void shouldRejectImagesThatAreNotThere() {
        PatchMemory memory = PatchMemory.create(3, 4, 2);
        assertThatThrownBy(() -> NearestPatches.distances(memory, new float[16], new int[] {0, 3}, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("no remembered image 3; the memory holds 3");
        assertThatThrownBy(() -> NearestPatches.distances(memory, new float[16], new int[0], 1))
                .hasMessageContaining("no image to compare with");
    }
}

package io.linesight.mmad.scan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ScanKernelTest {

    @ParameterizedTest(name = "B{0} L{1} G{2} D{3} K{4} N{5}")
    @CsvSource({
        "1, 64, 1, 64, 8, 16",
        "2, 64, 4, 32, 8, 16",
        "1, 256, 4, 8, 8, 16",
        "2, 100, 4, 16, 8, 16",
        "1, 33, 2, 3, 4, 4",
        "3, 31, 3, 13, 2, 5",
        "1, 1, 1, 1, 1, 1",
        "1, 70, 4, 12, 3, 16",
        "1, 65, 5, 24, 8, 16",
    })
    void shouldAgreeWithTheSpecification(int batch, int length, int groups, int width, int directions, int states) {
        ScanCase in = ScanCase.random(7, batch, length, groups, width, directions, states);

        assertClose(in.kernel(2), ScanReference.run(in));
    }

    @ParameterizedTest
    @CsvSource({"1, 4, 32", "3, 4, 8", "1, 1, 512", "2, 3, 20"})
    void shouldNotDependOnTheNumberOfThreads(int batch, int groups, int width) {
        ScanCase in = ScanCase.random(3, batch, 96, groups, width, 8, 16);

        float[] one = in.kernel(1);

        for (int threads : new int[] {2, 3, 7, 64})
            assertThat(in.kernel(threads)).isEqualTo(one);
    }

    @Test
    void shouldNotDependOnTheOtherImagesOfABatch() {
        ScanCase pair = ScanCase.random(11, 2, 64, 4, 16, 8, 16);
        ScanShape s = pair.shape();
        ScanCase second = new ScanCase(
                new ScanShape(1, 64, 4, 16, 8, 16),
                tail(pair.x()),
                tail(pair.dt()),
                tail(pair.b()),
                tail(pair.c()),
                pair.a(),
                pair.skip(),
                pair.bias(),
                pair.order());

        assertThat(Arrays.copyOfRange(pair.kernel(2), s.imageValues(), 2 * s.imageValues()))
                .isEqualTo(second.kernel(2));
    }

    @Test
    void shouldStayExactForExtremeSteps() {
        ScanCase in = ScanCase.random(5, 1, 64, 1, 16, 2, 16);
        // From steps of 1e-13 (nothing decays) to steps of 1e6 (everything dies at once).
        for (int i = 0; i < in.dt().length; i++)
            in.dt()[i] = new float[] {-25, -60, 12, 90, 3e4f, 1e6f, 0, -1e4f}[i % 8];

        assertClose(in.kernel(1), ScanReference.run(in));
    }

    @Test
    void shouldStayExactForSlowAndFastStates() {
        ScanCase in = ScanCase.random(6, 1, 256, 1, 16, 2, 16);
        for (int i = 0; i < in.a().length; i++)
            in.a()[i] = new float[] {0f, -1e-6f, -0.01f, -1f, -50f, -300f, -1e3f, -1e5f}[i % 8];

        assertClose(in.kernel(1), ScanReference.run(in));
    }

    @Test
    void shouldPassNanOnInItsImageOnly() {
        for (int tensor = 0; tensor < 4; tensor++) {
            for (float nan : new float[] {Float.NaN, Float.intBitsToFloat(0xFFC00000)}) {
                ScanCase in = ScanCase.random(4, 2, 32, 1, 8, 2, 16);
                float[] values = new float[][] {in.x(), in.dt(), in.b(), in.c()}[tensor];
                values[0] = nan;

                float[] y = in.kernel(2);

                assertThat(Float.isNaN(y[0])).as("tensor %d", tensor).isTrue();
                for (int i = y.length / 2; i < y.length; i++) assertThat(y[i]).isNotNaN();
            }
        }
    }

    @Test
    void shouldPassNanWeightsOn() {
        ScanCase in = ScanCase.random(4, 1, 32, 1, 8, 2, 16);
        in.a()[5] = Float.intBitsToFloat(0xFFC00000);

        assertThat(in.kernel(1)).contains(Float.NaN);
    }

    @Test
    void shouldRejectAnOrderThatLeavesTheMap() {
        ScanCase in = ScanCase.random(4, 1, 32, 1, 8, 2, 16);
        in.order()[35] = 32;

        assertThatThrownBy(() -> in.kernel(1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("pixel 32")
                .hasMessageContaining("direction 1, step 3");
    }

    private static float[] tail(float[] values) {
        return Arrays.copyOfRange(values, values.length / 2, values.length);
    }

    /**
     * Against the largest value of the result: float sums of values of either sign cannot be relatively exact one by
     * one.
     */
    private static void assertClose(float[] actual, double[] expected) {
        double largest = Arrays.stream(expected).map(Math::abs).max().orElseThrow();
        assertThat(actual).hasSize(expected.length);
        for (int i = 0; i < actual.length; i++) {
            assertThat((double) actual[i])
                    .as("value %d", i)
                    .isCloseTo(expected[i], org.assertj.core.data.Offset.offset(2e-6 * Math.max(1, largest)));
        }
    }
}

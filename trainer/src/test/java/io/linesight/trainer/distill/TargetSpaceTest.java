package io.linesight.trainer.distill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.linesight.trainer.torch.Torch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class TargetSpaceTest {
    /** Means 2 and 1, variances 1 and 3, covariance 1: a correlation of 1/sqrt(3). */
    private static final double[][] ROWS = {{1, 0}, {1, 0}, {3, 0}, {3, 4}};

    private static final double RHO = 1 / Math.sqrt(3);

    @BeforeAll
    static void start() {
        Torch.start(1);
    }

    private static TargetSpace fit(int[] teachers, double[][] rows, int components) {
        int n = rows[0].length;
        double[] sum = new double[n];
        double[] products = new double[n * n];
        for (double[] r : rows) {
            for (int i = 0; i < n; i++) {
                sum[i] += r[i];
                for (int j = 0; j < n; j++) products[i * n + j] += r[i] * r[j];
            }
        }
        return TargetSpace.of(teachers, rows.length, sum, products, components);
    }

    private static double target(TargetSpace t, int component, double[] row) {
        double v = 0;
        for (int i = 0; i < row.length; i++) v += t.projection()[component * t.channels() + i] * (row[i] - t.mean()[i]);
        return v;
    }

    @Test
    void shouldStandardiseAndTurnToPrincipalComponents() {
        TargetSpace t = fit(new int[] {2}, ROWS, 2);
        assertThat(t.mean()).containsExactly(2, 1);
        assertThat(t.variances())
                .as("eigenvalues 1 +- rho of the correlations, whose mean is 1")
                .containsExactly(new double[] {1 + RHO, 1 - RHO}, within(1e-12));
        assertThat(t.kept()).isCloseTo(1, within(1e-12));
        for (int k = 0; k < 2; k++) {
            double variance = 0;
            for (double[] r : ROWS) variance += target(t, k, r) * target(t, k, r) / ROWS.length;
            assertThat(variance)
                    .as("of component %d on the rows themselves", k)
                    .isCloseTo(t.variances()[k], within(1e-12));
        }
        // First component: the sum of the standardised channels over sqrt(2); its sign is free.
        assertThat(Math.abs(target(t, 0, new double[] {3, 1}))).isCloseTo(1 / Math.sqrt(2), within(1e-12));
        assertThat(Math.abs(target(t, 0, new double[] {2, 1 + Math.sqrt(3)})))
                .isCloseTo(1 / Math.sqrt(2), within(1e-12));
    }

    @Test
    void shouldScaleTheKeptComponentsToAMeanVarianceOfOne() {
        TargetSpace t = fit(new int[] {2}, ROWS, 1);
        assertThat(t.variances()).containsExactly(new double[] {1}, within(1e-12));
        assertThat(t.kept()).isCloseTo((1 + RHO) / 2, within(1e-12));
    }

    @Test
    void shouldGiveEveryTeacherTheSameWeightHoweverManyChannelsItHas() {
        // Three uncorrelated channels, two of the first teacher and one of the second, of very different variances.
        double[][] rows = new double[8][];
        for (int i = 0; i < 8; i++) rows[i] = new double[] {100 * sign(i, 1), sign(i, 2), 0.01 * sign(i, 4)};
        TargetSpace t = fit(new int[] {2, 1}, rows, 3);
        assertThat(t.variances())
                .as("1 for the second teacher's channel, 1/2 for each of the first's, scaled to a mean of 1")
                .containsExactly(new double[] {1.5, 0.75, 0.75}, within(1e-9));
    }

    private static int sign(int i, int bit) {
        return (i & bit) == 0 ? -1 : 1;
    }

    @Test
    void shouldDropConstantChannelsAndRejectTooFewVaryingOnes() {
        double[][] rows = new double[ROWS.length][];
        for (int i = 0; i < rows.length; i++) rows[i] = new double[] {ROWS[i][0], 7, ROWS[i][1]};
        TargetSpace t = fit(new int[] {3}, rows, 2);
        assertThat(t.variances()).containsExactly(new double[] {1 + RHO, 1 - RHO}, within(1e-12));
        assertThat(target(t, 0, new double[] {2, 1000, 1})).isCloseTo(0, within(1e-12));
        assertThatThrownBy(() -> fit(new int[] {3}, rows, 3))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("2 channels that vary")
                .hasMessageContaining("3 components");
    }

    @Test
    void shouldWeightErrorsSoThatSilenceLosesOne() {
        TargetSpace t = fit(new int[] {2}, ROWS, 2);
        for (double exponent : new double[] {0, 0.5, 1}) {
            float[] w = t.weights(exponent);
            assertThat(w[0] * t.variances()[0] + w[1] * t.variances()[1]).isCloseTo(1, within(1e-6));
            assertThat(w[1] / w[0])
                    .as("exponent %s", exponent)
                    .isCloseTo((float) Math.pow((1 + RHO) / (1 - RHO), exponent), within(1e-5f));
        }
    }
}

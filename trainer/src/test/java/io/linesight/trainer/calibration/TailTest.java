package io.linesight.trainer.calibration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TailTest {
    @ParameterizedTest
    @CsvSource({
        "0.01,1,31.82",
        "0.01,3,4.541",
        "0.01,5,3.365",
        "0.01,9,2.821",
        "0.01,30,2.457",
        "0.05,10,1.812",
        "0.001,20,3.552",
        "0.01,2.5,5.353"
    })
    void shouldKnowStudentsQuantiles(double upper, double freedom, double expected) {
        assertThat(Distributions.studentQuantile(upper, freedom)).isCloseTo(expected, within(0.001 * expected));
    }

    @ParameterizedTest
    @CsvSource({"0.5,0", "0.1,1.2816", "0.01,2.3263", "0.001,3.0902", "0.00001,4.2649"})
    void shouldKnowNormalQuantiles(double upper, double expected) {
        assertThat(Distributions.normalQuantile(upper)).isCloseTo(expected, within(0.002));
    }

    @ParameterizedTest
    @CsvSource({"0,20,0.13911", "0,299,0.00997", "1,20,0.21611", "5,100,0.10225", "20,20,1"})
    void shouldKnowClopperAndPearsonsBound(int k, int n, double expected) {
        assertThat(Distributions.upperBound(k, n, 0.95)).isCloseTo(expected, within(0.0002));
    }

    /** Generalised Pareto with the given shape above a uniform body. */
    @ParameterizedTest
    @CsvSource({"-0.3", "0", "0.3"})
    void shouldFindTheTailOfAKnownDistribution(double shape) {
        Random r = new Random(11);
        double mean = 0;
        double share = 0.2;
        double truth =
                1 + (shape == 0 ? Math.log(200) : (Math.pow(200, shape) - 1) / shape); // exceeded by one in a thousand
        int trials = 200;
        for (int t = 0; t < trials; t++) {
            double[] x = new double[2000];
            for (int i = 0; i < x.length; i++) {
                double u = 1 - r.nextDouble();
                x[i] = r.nextDouble() >= share
                        ? r.nextDouble()
                        : 1 + (shape == 0 ? -Math.log(u) : (Math.pow(u, -shape) - 1) / shape);
            }
            mean += Tail.pareto(x).quantile(0.001) / trials;
        }
        assertThat(mean).isCloseTo(truth, within(0.15 * truth));
    }

    @Test
    void shouldGiveTheRateBackThatAQuantileBelongsTo() {
        Random r = new Random(1);
        double[] x = r.doubles(300).toArray();
        for (Tail t : new Tail[] {Tail.pareto(x), Tail.normal(), Tail.student(x)}) {
            for (double rate : new double[] {0.3, 0.1, 0.01, 0.001})
                assertThat(t.rate(t.quantile(rate))).isCloseTo(rate, within(0.02 * rate));
            assertThat(t.rate(-10)).isEqualTo(0.5);
            assertThat(t.rate(1e9)).isZero();
        }
    }

    @Test
    void shouldNeverRiseWithTheRate() {
        Random r = new Random(2);
        for (int n : new int[] {3, 10, 20, 60, 500}) {
            double[] x = r.doubles(n).map(Math::sqrt).toArray();
            for (Tail t :
                    new Tail[] {Tail.pareto(n < 20 ? r.doubles(20).toArray() : x), Tail.empirical(x), Tail.student(x)
                    }) {
                double last = Double.POSITIVE_INFINITY;
                for (double rate = 1e-6; rate <= 0.5; rate *= 1.1) {
                    assertThat(t.quantile(rate)).isLessThanOrEqualTo(last);
                    last = t.quantile(rate);
                }
            }
        }
    }
}

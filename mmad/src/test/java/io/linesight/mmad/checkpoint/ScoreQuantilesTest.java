package io.linesight.mmad.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

class ScoreQuantilesTest {
    /** Of the logistic distribution, whose quantiles go with the logit of the rate. */
    private static double logistic(double rate) {
        return 3 - 0.5 * Math.log(rate / (1 - rate));
    }

    private final ScoreQuantiles quantiles = ScoreQuantiles.of(ScoreQuantilesTest::logistic);

    @Test
    void shouldGiveScoresBetweenAndBeyondItsRates() {
        for (double rate : new double[] {0.99, 0.6, 0.5, 0.3, 0.03, 0.003, 5e-5, 1e-5, 1e-6})
            assertThat(quantiles.scoreAt(rate)).as("rate %s", rate).isCloseTo(logistic(rate), within(1e-9));
        assertThat(quantiles.scoreAt(0.999)).isEqualTo(logistic(0.99));
    }

    @Test
    void shouldGiveTheRateOfAScoreBack() {
        for (double rate : new double[] {0.99, 0.7, 0.2, 0.013, 0.0005, 1e-6})
            assertThat(quantiles.rateAt(logistic(rate))).isCloseTo(rate, within(rate * 1e-6));
        assertThat(quantiles.rateAt(-100)).isEqualTo(0.99);
        assertThat(quantiles.rateAt(100)).isEqualTo(1e-9);
    }

    @Test
    void shouldTakeADistributionThatEndsAtOneScore() {
        ScoreQuantiles flat = ScoreQuantiles.of(rate -> Math.min(2, logistic(rate)));
        assertThat(flat.scoreAt(1e-7)).isEqualTo(2);
        assertThat(flat.rateAt(2.1)).isEqualTo(1e-9);
        assertThat(flat.scoreAt(flat.rateAt(1.5))).isCloseTo(1.5, within(1e-6));
    }

    @Test
    void shouldRefuseWhatIsNoDistribution() {
        assertThatThrownBy(() -> new ScoreQuantiles(List.of(0.5), List.of(1.0))).hasMessageContaining("at least two");
        assertThatThrownBy(() -> new ScoreQuantiles(List.of(0.5, 0.6), List.of(1.0, 2.0)))
                .hasMessageContaining("rates fall");
        assertThatThrownBy(() -> new ScoreQuantiles(List.of(0.5, 0.4), List.of(1.0, 0.9)))
                .hasMessageContaining("scores do not");
        assertThatThrownBy(() -> new ScoreQuantiles(List.of(0.5, 0.4), List.of(1.0, Double.NaN)))
                .hasMessageContaining("NaN");
        assertThatThrownBy(() -> quantiles.scoreAt(0)).hasMessageContaining("0..1");
    }
}

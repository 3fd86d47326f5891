package io.linesight.demo;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RateControllerTest {
    /** A line that scores so many frames a second and lets the rest queue up. */
    private static double settle(RateController rate, double capacity, int cameras, int seconds) {
        double queue = 0;
        double worst = 0;
        for (int s = 0; s < seconds; s++) {
            double arrived = rate.rate() * cameras;
            double answered = Math.min(queue + arrived, capacity);
            queue += arrived - answered;
            rate.tick(Math.round(queue + 0.3 * answered), Math.round(answered));
            if (s > seconds / 2) worst = Math.max(worst, queue / capacity);
        }
        assertThat(worst).as("seconds of queue once settled").isLessThan(3);
        return rate.rate() * cameras;
    }

    @Test
    void shouldFindWhatTheMachineScores() {
        assertThat(settle(new RateController(null, 60), 20, 4, 240)).isBetween(12.0, 26.0);
        assertThat(settle(new RateController(null, 60), 3, 4, 240)).isBetween(1.5, 4.5);
    }

    @Test
    void shouldNotExceedTheHighestRate() {
        assertThat(settle(new RateController(null, 30), 100_000, 2, 120)).isEqualTo(60);
    }

    @Test
    void shouldKeepAFixedRateWhateverHappens() {
        RateController rate = new RateController(5.0, 60);
        rate.tick(10_000, 1);
        assertThat(rate.rate()).isEqualTo(5);
    }
}

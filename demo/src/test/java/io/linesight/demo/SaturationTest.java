package io.linesight.demo;

import static org.assertj.core.api.Assertions.assertThat;

import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SaturationTest {
    private static final double TICK = 0.05;

    /**
     * A line that answers so many frames a second, each a while after it came, and is slow at first; frames are sent
     * while there is room.
     */
    private static Saturation saturate(double capacity, double latency, double slowSeconds) {
        Saturation saturation = new Saturation();
        double sent = 0;
        double answered = 0;
        double[] sentBefore = new double[(int) Math.round(latency / TICK) + 1];
        for (int tick = 0; tick < 10_000 && !saturation.isDone(); tick++) {
            double second = tick * TICK;
            sentBefore[tick % sentBefore.length] = sent;
            double due = sentBefore[(tick + 1) % sentBefore.length];
            answered = Math.min(due, answered + capacity * TICK * (second < slowSeconds ? 0.2 : 1));
            saturation.read(second, (long) answered);
            sent = Math.max(sent, Math.floor(answered) + saturation.window());
        }
        assertThat(saturation.isDone()).isTrue();
        assertThat((sent - answered) / capacity)
                .as("seconds of waiting frames at the end")
                .isLessThan(Math.max(2.2, Saturation.MIN_WINDOW / capacity + 0.1));
        return saturation;
    }

    @ParameterizedTest
    @CsvSource({"0.5, 0.3", "3, 0.5", "12, 0.2", "12, 0.9", "200, 0.3", "450, 0.25"})
    void shouldFindWhatALineBears(double capacity, double latency) {
        assertThat(saturate(capacity, latency, 0).framesPerSecond()).isCloseTo(capacity, Percentage.withPercentage(8));
    }

    @Test
    void shouldNotCountTheFirstSlowSeconds() {
        assertThat(saturate(20, 0.2, 2).framesPerSecond()).isCloseTo(20, Percentage.withPercentage(8));
    }

    @Test
    void shouldWaitForTheFirstAnswer() {
        Saturation saturation = new Saturation();
        for (int second = 0; second < 60; second++) saturation.read(second, 0);
        assertThat(saturation.isDone()).isFalse();
        assertThat(saturation.framesPerSecond()).isZero();
        assertThat(saturation.window()).isEqualTo(Saturation.MIN_WINDOW);
    }
}

package io.linesight.demo;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class OtherLoadTest {
    private final OtherLoad load = new OtherLoad();

    private void seconds(int count, double all, double own) {
        for (int i = 0; i < count; i++) load.add(all, own);
    }

    @Test
    void shouldSayNothingOfTheLinesOwnLoad() {
        seconds(30, 1, 0.97);
        assertThat(load.remark()).isEmpty();
    }

    @Test
    void shouldSayWhenOthersTakeTheMachineForSomeSeconds() {
        seconds(1, 1, 0.5);
        assertThat(load.remark()).as("one second").isEmpty();
        seconds(5, 1, 0.5);
        assertThat(load.remark()).get().asString().contains("busy with something else");
        seconds(10, 0.6, 0.6);
        assertThat(load.remark()).isEmpty();
    }

    @Test
    void shouldSayNothingWhereTheSystemDoesNotTell() {
        seconds(10, -1, Double.NaN);
        seconds(10, 1, -1);
        assertThat(load.remark()).isEmpty();
    }
}

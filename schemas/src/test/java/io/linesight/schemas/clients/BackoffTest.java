package io.linesight.schemas.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BackoffTest {
    private final Backoff backoff = Backoff.exponential(Duration.ofMillis(200), Duration.ofSeconds(2));

    @ParameterizedTest
    @CsvSource({"1, 200", "2, 400", "3, 800", "4, 1600", "5, 2000", "6, 2000", "1000, 2000"})
    void shouldDoubleDelayUpToMax(int retry, long millis) {
        assertThat(backoff.delay(retry)).hasMillis(millis);
    }

    @ParameterizedTest
    @CsvSource({"0, 400", "0.5, 300", "0.999999, 200"})
    void shouldCutRandomShareOffWithJitter(double random, long millis) {
        assertThat(backoff.withJitter(0.5, () -> random).delay(2)).hasMillis(millis);
    }

    @Test
    void shouldStayBetweenHalfAndFullDelayWithDefaultJitter() {
        Backoff jittered = backoff.withJitter();
        for (int i = 0; i < 1000; i++)
            assertThat(jittered.delay(1)).isBetween(Duration.ofMillis(100), Duration.ofMillis(200));
    }

    @Test
    void shouldNotOverflow() {
        Duration longest = Duration.ofMillis(Long.MAX_VALUE);
        assertThat(Backoff.exponential(Duration.ofDays(1_000_000), longest).delay(Integer.MAX_VALUE))
                .isPositive();
    }

    @Test
    void shouldWaitMaxWhenFirstIsLonger() {
        assertThat(Backoff.exponential(Duration.ofSeconds(9), Duration.ofSeconds(1))
                        .delay(1))
                .hasSeconds(1);
    }

    @Test
    void shouldRejectWhatIsNoBackoff() {
        assertThatThrownBy(() -> Backoff.exponential(Duration.ofMillis(-1), Duration.ZERO))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> backoff.withJitter(1.5, () -> 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> backoff.delay(0)).isInstanceOf(IllegalArgumentException.class);
    }
}

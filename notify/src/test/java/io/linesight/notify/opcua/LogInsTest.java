package io.linesight.notify.opcua;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class LogInsTest {
    private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 5);
    private final LogIns logIns = new LogIns(Map.of("eva", "correct horse"), nanos::get);

    @Test
    void shouldAllowTheRightPasswordAlone() {
        assertThat(logIns.allows("a", "eva", "correct horse")).isTrue();
        assertThat(logIns.allows("a", "eva", "correct hors")).isFalse();
        assertThat(logIns.allows("a", "eva", "")).isFalse();
        assertThat(logIns.allows("a", "adam", "correct horse")).isFalse();
        assertThat(logIns.refused()).isEqualTo(3);
    }

    @Test
    void shouldRefuseAnAddressForAMinuteAfterTooManyWrongOnes() {
        for (int i = 0; i < LogIns.MAX_FAILURES; i++) logIns.allows("a", "eva", "wrong");
        assertThat(logIns.allows("a", "eva", "correct horse")).isFalse();
        assertThat(logIns.allows("b", "eva", "correct horse")).isTrue();
        nanos.addAndGet(Duration.ofSeconds(61).toNanos());
        assertThat(logIns.allows("a", "eva", "correct horse")).isTrue();
    }
}

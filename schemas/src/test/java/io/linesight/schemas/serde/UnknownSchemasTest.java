package io.linesight.schemas.serde;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class UnknownSchemasTest {
    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    private final AtomicLong nanos = new AtomicLong(-5); // a clock that may be negative
    private final UnknownSchemas unknown = new UnknownSchemas(TIMEOUT, nanos::get);

    private void pass(Duration time) {
        nanos.addAndGet(time.toNanos());
    }

    @Test
    void shouldAskForTheWholeTimeoutAndThenNoMore() {
        assertThat(unknown.isWorthAsking(7)).isTrue();
        pass(TIMEOUT.minusMillis(1));
        assertThat(unknown.isWorthAsking(7)).isTrue();
        pass(Duration.ofMillis(1));
        assertThat(unknown.isWorthAsking(7)).isFalse();
        assertThat(unknown.isWorthAsking(7)).as("given up").isFalse();
    }

    @Test
    void shouldAskAgainForASchemaThatWasKnownInBetween() {
        unknown.isWorthAsking(7);
        pass(TIMEOUT);
        assertThat(unknown.isWorthAsking(7)).isFalse();
        unknown.known(7);

        assertThat(unknown.isWorthAsking(7)).isTrue();
    }

    @Test
    void shouldCountTheTimeoutAnewAfterAnOutage() {
        unknown.isWorthAsking(7);
        pass(TIMEOUT.minusMillis(1));
        unknown.outage();
        pass(Duration.ofMillis(2));

        assertThat(unknown.isWorthAsking(7)).isTrue();
    }

    @Test
    void shouldNotWaitAFourthTimeInVainWithinTenMinutes() {
        for (int id = 1; id <= 3; id++) {
            assertThat(unknown.isWorthAsking(id)).isTrue();
            pass(TIMEOUT);
            assertThat(unknown.isWorthAsking(id)).isFalse();
        }
        assertThat(unknown.isWorthAsking(4)).as("three waits were in vain").isFalse();
        pass(Duration.ofMinutes(10));
        assertThat(unknown.isWorthAsking(5)).as("that is long ago").isTrue();
    }
}

package io.linesight.schemas.topics;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FrameTimesTest {
    private static final long NOW = Instant.parse("2026-05-01T12:00:00Z").toEpochMilli();

    @ParameterizedTest
    @ValueSource(strings = {"PT0S", "PT-1H", "P-6D", "PT4M", "PT-12H"})
    void shouldTakeTimesOfTheLastDays(String away) {
        assertThat(FrameTimes.problem(NOW + Duration.parse(away).toMillis(), NOW))
                .isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "0, no time at all",
        "-1, no time at all",
        "1777636800, as if seconds were written for milliseconds",
        "1777636800000000, as if microseconds were written for milliseconds",
        "1777636800000000000, as if nanoseconds were written for milliseconds",
        "946684800000, as if the clock was never set",
        "1600000000, as if seconds were written for milliseconds",
        "1774000000000, 42 days old",
        "1777636800001000, as if microseconds were written for milliseconds",
        "1777641000000, 70 minutes ahead",
        "2540000000000, days ahead",
        "9223372036854775807, days ahead",
        "-9223372036854775808, no time at all"
    })
    void shouldSayWhatIsWrongWithATime(long millis, String reason) {
        assertThat(FrameTimes.problem(millis, NOW)).get().asString().contains(reason);
    }

    @ParameterizedTest
    @CsvSource({
        "1777636800, as if milliseconds were written for microseconds",
        "1777636, as if seconds were written for microseconds",
        "1777636800000000, as if nanoseconds were written for microseconds",
        "0, no time at all"
    })
    void shouldNameTheUnitsOfCaptureTimes(long millis, String reason) {
        assertThat(FrameTimes.describeCaptureTime(millis, NOW)).contains(reason);
    }

    @Test
    void shouldNameTheTime() {
        assertThat(FrameTimes.problem(1_777_636_800, NOW)).get().asString().startsWith("1970-01-21T13:47:16.800Z");
    }
}

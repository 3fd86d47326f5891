package io.linesight.demo.line;

import java.time.Instant;
import java.time.temporal.ChronoUnit;

/** Moments as microseconds since 1970. */
public final class Micros {
    private Micros() {}

    /** Fractions of a microsecond are cut off. */
    public static long of(Instant moment) {
        return ChronoUnit.MICROS.between(Instant.EPOCH, moment);
    }
}

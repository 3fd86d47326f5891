package io.linesight.streams.serving;

import java.time.Duration;
import java.time.Instant;

/**
 * A reading of both clocks.
 *
 * @param nanos monotonic, from 0 at the start of the process; for waiting
 * @param time of the wall clock, which may jump; for comparing with what other processes wrote
 */
record Moment(long nanos, Instant time) {

    private static final long ORIGIN = System.nanoTime();

    static Moment now() {
        return new Moment(System.nanoTime() - ORIGIN, Instant.now());
    }

    /** The monotonic reading that much later. */
    long plus(Duration duration) {
        return nanos + duration.toNanos();
    }
}

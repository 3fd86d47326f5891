package io.linesight.trainer.learning;

import java.time.Duration;
import java.util.function.LongSupplier;

/** A time at which something may happen again; passed from the beginning. Any thread. */
final class Deadline {
    private final LongSupplier nanoTime;
    private volatile long at;

    /** @param nanoTime monotonic clock, {@link System#nanoTime} outside of tests */
    Deadline(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
        at = nanoTime.getAsLong();
    }

    void setIn(Duration delay) {
        at = nanoTime.getAsLong() + delay.toNanos();
    }

    boolean hasPassed() {
        return nanoTime.getAsLong() - at >= 0;
    }
}

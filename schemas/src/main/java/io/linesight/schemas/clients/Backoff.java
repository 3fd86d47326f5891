package io.linesight.schemas.clients;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.DoubleSupplier;

/**
 * How long to wait before a retry: the delay doubles with every retry, up to a maximum.
 *
 * <p>Holds no clock and does not sleep: whoever retries owns the waiting. Immutable.
 */
public final class Backoff {
    /** Enough doublings for any maximum, too few to overflow. */
    private static final int MAX_DOUBLINGS = 20;

    private final long firstMillis;
    private final long maxMillis;
    private final double jitter;
    private final DoubleSupplier random;

    private Backoff(long firstMillis, long maxMillis, double jitter, DoubleSupplier random) {
        this.firstMillis = firstMillis;
        this.maxMillis = maxMillis;
        this.jitter = jitter;
        this.random = random;
    }

    /**
     * A backoff without jitter.
     *
     * @param first delay before the first retry
     * @param max longest delay; shorter than {@code first} makes every delay {@code max}
     * @throws IllegalArgumentException when one is negative
     */
    public static Backoff exponential(Duration first, Duration max) {
        if (first.isNegative() || max.isNegative())
            throw new IllegalArgumentException("a delay cannot be negative: " + first + ", " + max);
        return new Backoff(first.toMillis(), max.toMillis(), 0, () -> 0);
    }

    /** Shortens every delay by a random share of up to one half, so that many instances do not retry in step. */
    public Backoff withJitter() {
        return withJitter(0.5, () -> ThreadLocalRandom.current().nextDouble());
    }

    /**
     * Shortens every delay by a random share.
     *
     * @param share largest share of a delay that is cut off, 0 to 1
     * @param random gives numbers from 0 (inclusive) to 1 (exclusive)
     */
    public Backoff withJitter(double share, DoubleSupplier random) {
        if (!(share >= 0 && share <= 1)) throw new IllegalArgumentException("a share is 0 to 1: " + share);
        return new Backoff(firstMillis, maxMillis, share, random);
    }

    /**
     * The delay before a retry.
     *
     * @param retry 1 for the first
     */
    public Duration delay(int retry) {
        if (retry < 1) throw new IllegalArgumentException("the first retry is number 1: " + retry);
        long millis = Math.min(maxMillis, saturatedDoubling(firstMillis, Math.min(retry - 1, MAX_DOUBLINGS)));
        return Duration.ofMillis(millis - Math.round(millis * jitter * random.getAsDouble()));
    }

    private static long saturatedDoubling(long millis, int times) {
        return millis > Long.MAX_VALUE >> times ? Long.MAX_VALUE : millis << times;
    }
}

package io.linesight.schemas.serde;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * How long it is worth asking again for schemas that a registry does not know. Its replicas lag, so an id that is
 * unknown now may be known in a moment; but an id that nobody registered must not hold up what follows it for ever.
 * Thread-safe.
 */
public final class UnknownSchemas {
    /** Waits that may be in vain within {@link #WINDOW_NANOS}; then none is waited for. */
    private static final int MAX_VAIN_WAITS = 3;

    private static final long WINDOW_NANOS = TimeUnit.MINUTES.toNanos(10);
    /** A producer may name any number of ids; beyond this they are asked for as if for the first time. */
    private static final int REMEMBERED = 10_000;

    private final long timeoutNanos;
    private final LongSupplier nanos;
    private final Map<Object, Long> since = new HashMap<>();
    private final Set<Object> givenUp = new HashSet<>();
    private final Deque<Long> vainWaits = new ArrayDeque<>();

    /**
     * @param timeout how long one schema is asked for
     * @param nanos the clock
     */
    public UnknownSchemas(Duration timeout, LongSupplier nanos) {
        timeoutNanos = timeout.toNanos();
        this.nanos = nanos;
    }

    /**
     * Whether to ask again for a schema that the registry has just said not to know.
     *
     * @param schema an id or a GUID
     */
    public synchronized boolean isWorthAsking(Object schema) {
        long now = nanos.getAsLong();
        while (!vainWaits.isEmpty() && now - vainWaits.peek() > WINDOW_NANOS) vainWaits.poll();
        if (givenUp.contains(schema)) return false;
        boolean waits = vainWaits.size() < MAX_VAIN_WAITS;
        if (waits && now - since.computeIfAbsent(schema, s -> now) < timeoutNanos) return true;
        since.remove(schema);
        if (givenUp.size() >= REMEMBERED) givenUp.clear();
        givenUp.add(schema);
        if (waits) vainWaits.add(now);
        return false;
    }

    /** The registry knows the schema. */
    public synchronized void known(Object schema) {
        since.remove(schema);
        givenUp.remove(schema);
    }

    /** The registry does not answer; what is back after an outage may lag again. */
    public synchronized void outage() {
        since.clear();
    }
}

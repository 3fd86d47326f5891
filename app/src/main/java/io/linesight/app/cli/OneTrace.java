package io.linesight.app.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.turbo.TurboFilter;
import ch.qos.logback.core.spi.FilterReply;
import java.lang.ref.WeakReference;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;
import org.slf4j.Marker;

/**
 * Drops what Kafka says about a failure whose trace was logged already: one failure passes several of its classes, and
 * each logs it as a whole. Failures are told apart by their root cause, the very object. Thread-safe.
 */
public final class OneTrace extends TurboFilter {
    private static final String KAFKA = "org.apache.kafka.";
    private static final int REMEMBERED = 16;

    private final Deque<WeakReference<Throwable>> seen = new ArrayDeque<>();

    @Override
    public FilterReply decide(
            @Nullable Marker marker,
            Logger logger,
            Level level,
            @Nullable String format,
            Object @Nullable [] arguments,
            @Nullable Throwable given) {
        Throwable failure = given;
        if (failure == null
                && arguments != null
                && arguments.length > 0
                && arguments[arguments.length - 1] instanceof Throwable last) failure = last;
        if (failure == null || !level.isGreaterOrEqual(logger.getEffectiveLevel())) return FilterReply.NEUTRAL;
        return isNew(root(failure)) || !logger.getName().startsWith(KAFKA) ? FilterReply.NEUTRAL : FilterReply.DENY;
    }

    private static Throwable root(Throwable failure) {
        Throwable root = failure;
        for (int depth = 0; root.getCause() != null && depth < 100; depth++) root = root.getCause();
        return root;
    }

    private synchronized boolean isNew(Throwable root) {
        for (WeakReference<Throwable> one : seen) if (one.refersTo(root)) return false;
        if (seen.size() == REMEMBERED) seen.poll();
        seen.add(new WeakReference<>(root));
        return true;
    }
}

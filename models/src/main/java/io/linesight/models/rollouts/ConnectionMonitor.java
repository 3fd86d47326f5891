package io.linesight.models.rollouts;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.apache.kafka.common.errors.AuthorizationException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Whether broker and schema registry answer; logs every change once. One thread reports, any thread may ask. */
final class ConnectionMonitor {
    private static final Logger LOG = LoggerFactory.getLogger(ModelRegistryView.class);
    /** A missing right is noticed at every attempt; after this time without a rejection, it is there. */
    private static final long REJECTION_NANOS = TimeUnit.SECONDS.toNanos(3);

    private final LongSupplier nanoTime;
    private long lastRejected;
    /** Null while connected. */
    private volatile @Nullable String obstacle;

    ConnectionMonitor(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
        lastRejected = nanoTime.getAsLong() - REJECTION_NANOS;
    }

    boolean isConnected() {
        return obstacle == null;
    }

    /** Who does not answer, or what is not allowed; null while connected. */
    @Nullable
    String obstacle() {
        return obstacle;
    }

    void lost(String who, Exception e) {
        boolean rejected = e instanceof AuthorizationException;
        String why = rejected
                ? who + " does not allow it: " + e.getMessage()
                : who + " does not answer (" + e.getMessage() + ")";
        if (rejected) lastRejected = nanoTime.getAsLong();
        if (isConnected())
            LOG.warn(
                    "Cannot follow the model registry: {}. The last state stays; it is tried again until it works",
                    why);
        obstacle = why;
    }

    void answered() {
        // A broker that tells where a topic ends may still forbid reading it.
        if (nanoTime.getAsLong() - lastRejected < REJECTION_NANOS) return;
        if (!isConnected()) LOG.info("The model registry can be followed again");
        obstacle = null;
    }

    /** Nothing is followed any more. */
    void stopped(Throwable cause) {
        obstacle = "reading the model registry has stopped: " + cause;
    }
}

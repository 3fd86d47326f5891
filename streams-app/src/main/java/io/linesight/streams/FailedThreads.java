package io.linesight.streams;

import io.linesight.schemas.clients.BrokerFault;
import io.linesight.streams.config.InspectionConfig;
import io.linesight.streams.inspect.RegistryUnavailableException;
import io.linesight.streams.monitoring.InspectionMetrics;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Replaces stream threads that fail, until too many do: then the app stops. A registry that is unavailable never
 * counts, because the frames wait in Kafka for as long as it takes. Thread-safe.
 */
final class FailedThreads implements StreamsUncaughtExceptionHandler {

    private static final Logger LOG = LoggerFactory.getLogger(FailedThreads.class);
    private static final long WINDOW_NANOS = TimeUnit.MINUTES.toNanos(10);

    private final InspectionConfig config;
    private final InspectionMetrics metrics;
    private final Consumer<Throwable> onTooMany;
    private final Deque<Long> replacements = new ArrayDeque<>();

    /** @param onTooMany told why the app stops */
    FailedThreads(InspectionConfig config, InspectionMetrics metrics, Consumer<Throwable> onTooMany) {
        this.config = config;
        this.metrics = metrics;
        this.onTooMany = onTooMany;
    }

    @Override
    public StreamThreadExceptionResponse handle(Throwable e) {
        if (isCausedByRegistry(e)) {
            LOG.warn("The schema registry is unavailable; a new stream thread keeps trying: {}", e.getMessage());
            metrics.threadReplaced();
            return StreamThreadExceptionResponse.REPLACE_THREAD;
        }
        boolean explained = isExplained(BrokerFault.of(e));
        String explanation = explained ? BrokerFault.explain(config.bootstrapServers(), e) : null;
        if (explained) LOG.error("{}", explanation);
        if (tryReplace(e)) return StreamThreadExceptionResponse.REPLACE_THREAD;
        onTooMany.accept(explained ? new IllegalStateException(explanation, e) : e);
        LOG.error(
                "Stream threads failed more than {} times in 10 minutes; the app stops. Uncommitted frames stay in "
                        + "Kafka for the next start. The last failure: {}",
                config.recovery().threadReplacements(),
                firstLine(e));
        return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
    }

    /** Faults that the user can fix, so that our words say more than the exception's. */
    private static boolean isExplained(BrokerFault fault) {
        return fault == BrokerFault.NOT_ALLOWED
                || fault == BrokerFault.WRONG_CREDENTIALS
                || fault == BrokerFault.EXPIRED_CERTIFICATE;
    }

    private synchronized boolean tryReplace(Throwable e) {
        int allowed = config.recovery().threadReplacements();
        long now = System.nanoTime();
        while (!replacements.isEmpty() && now - replacements.peek() > WINDOW_NANOS) replacements.poll();
        if (replacements.size() >= allowed) return false;
        replacements.add(now);
        metrics.threadReplaced();
        LOG.error(
                "A stream thread failed; it is replaced and its uncommitted frames are processed again ({} of at "
                        + "most {} in 10 minutes): {}",
                replacements.size(),
                allowed,
                firstLine(e)); // Kafka Streams logs the trace
        return true;
    }

    private static String firstLine(Throwable e) {
        Throwable root = e;
        while (root.getCause() != null && root.getCause() != root) root = root.getCause();
        return String.valueOf(root).lines().findFirst().orElse("");
    }

    private static boolean isCausedByRegistry(Throwable e) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof RegistryUnavailableException) return true;
        }
        return false;
    }
}

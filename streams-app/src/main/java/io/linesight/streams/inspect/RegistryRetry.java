package io.linesight.streams.inspect;

import io.linesight.schemas.clients.Backoff;
import io.linesight.schemas.registry.RegistryException;
import io.linesight.streams.monitoring.InspectionMetrics;
import java.time.Duration;
import java.util.function.Supplier;
import org.apache.kafka.streams.errors.StreamsException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Retries calls of a schema registry that is unavailable, on the stream thread. The last resort: {@link RegistryAccess}
 * sees to it that a stream thread need not ask, except after thousands of schemas. The wait is bounded, because the
 * transaction is.
 */
final class RegistryRetry {

    private static final Logger LOG = LoggerFactory.getLogger(RegistryRetry.class);
    private static final Backoff BACKOFF = Backoff.exponential(Duration.ofMillis(100), Duration.ofSeconds(2));

    private final Duration timeout;
    private final InspectionMetrics metrics;

    RegistryRetry(Duration timeout, InspectionMetrics metrics) {
        this.timeout = timeout;
        this.metrics = metrics;
    }

    /**
     * @throws RegistryUnavailableException when the registry stays unavailable for the whole timeout
     * @throws RegistryException when waiting would not help (compatibility, a schema that is not registered)
     */
    <T> T call(Supplier<T> work) {
        long deadline = System.nanoTime() + timeout.toNanos();
        try {
            return work.get();
        } catch (RegistryException e) {
            if (!e.mayPass()) throw e;
            return retry(work, deadline, e);
        }
    }

    private <T> T retry(Supplier<T> work, long deadline, RegistryException first) {
        RegistryException last = first;
        boolean waited = false;
        try {
            for (int retry = 1; ; retry++) {
                Duration delay = BACKOFF.delay(retry);
                if (System.nanoTime() + delay.toNanos() >= deadline) throw unavailable(last);
                if (!waited) {
                    LOG.warn(
                            "The schema registry does not answer; frames wait in Kafka until it does: {}",
                            last.getMessage());
                    metrics.registryAwaited(true);
                    waited = true;
                }
                sleep(delay);
                try {
                    T result = work.get();
                    LOG.info("The schema registry answers again");
                    return result;
                } catch (RegistryException e) {
                    if (!e.mayPass()) throw e;
                    last = e;
                }
            }
        } finally {
            if (waited) metrics.registryAwaited(false);
        }
    }

    private RegistryUnavailableException unavailable(RegistryException e) {
        return new RegistryUnavailableException(
                "The schema registry did not answer for " + timeout.toMillis()
                        + " ms; the frame stays uncommitted and is tried again: " + e.getMessage(),
                e);
    }

    private static void sleep(Duration delay) {
        try {
            Thread.sleep(delay.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new StreamsException("interrupted while waiting for the schema registry", e);
        }
    }
}

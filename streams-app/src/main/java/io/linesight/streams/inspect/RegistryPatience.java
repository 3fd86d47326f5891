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
 * Waits for a schema registry that is away. Blocking the stream thread is the right thing to do: nothing can be read or
 * written meanwhile, and Kafka keeps the frames. The wait is bounded, because the transaction is.
 */
final class RegistryPatience {

    private static final Logger LOG = LoggerFactory.getLogger(RegistryPatience.class);
    private static final Backoff BACKOFF = Backoff.exponential(Duration.ofMillis(100), Duration.ofSeconds(2));

    private final Duration limit;
    private final InspectionMetrics metrics;

    RegistryPatience(Duration limit, InspectionMetrics metrics) {
        this.limit = limit;
        this.metrics = metrics;
    }

    /**
     * @throws RegistryUnavailableException when the registry stayed away for the whole limit
     * @throws RegistryException when waiting would not help (credentials, compatibility)
     */
    <T> T call(Supplier<T> work) {
        long deadline = System.nanoTime() + limit.toNanos();
        int retries = 0;
        try {
            while (true) {
                try {
                    T result = work.get();
                    if (retries > 0) LOG.info("The schema registry answers again");
                    return result;
                } catch (RegistryException e) {
                    if (!e.isRetriable()) throw e;
                    Duration pause = BACKOFF.delay(retries + 1);
                    if (System.nanoTime() + pause.toNanos() >= deadline) {
                        throw new RegistryUnavailableException(
                                "The schema registry did not answer for " + limit.toMillis()
                                        + " ms; the frame stays uncommitted and is tried again: " + e.getMessage(),
                                e);
                    }
                    if (retries == 0) {
                        LOG.warn(
                                "The schema registry does not answer; frames wait in Kafka until it does: {}",
                                e.getMessage());
                        metrics.registryAwaited(true);
                    }
                    retries++;
                    sleep(pause);
                }
            }
        } finally {
            if (retries > 0) metrics.registryAwaited(false);
        }
    }

    private static void sleep(Duration time) {
        try {
            Thread.sleep(time.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new StreamsException("interrupted while waiting for the schema registry", e);
        }
    }
}

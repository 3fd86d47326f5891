package io.linesight.streams.inspect;

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
    private static final long FIRST_PAUSE_MILLIS = 100;
    private static final long LONGEST_PAUSE_MILLIS = 2_000;

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
        long pause = FIRST_PAUSE_MILLIS;
        boolean waited = false;
        try {
            while (true) {
                try {
                    T result = work.get();
                    if (waited) LOG.info("The schema registry answers again");
                    return result;
                } catch (RegistryException e) {
                    if (!e.isRetriable()) throw e;
                    if (System.nanoTime() + pause * 1_000_000 >= deadline) {
                        throw new RegistryUnavailableException(
                                "The schema registry did not answer for " + limit.toMillis()
                                        + " ms; the frame stays uncommitted and is tried again: " + e.getMessage(),
                                e);
                    }
                    if (!waited) {
                        LOG.warn(
                                "The schema registry does not answer; frames wait in Kafka until it does: {}",
                                e.getMessage());
                        metrics.registryAwaited(true);
                    }
                    waited = true;
                    sleep(pause);
                    pause = Math.min(LONGEST_PAUSE_MILLIS, pause * 2);
                }
            }
        } finally {
            if (waited) metrics.registryAwaited(false);
        }
    }

    private static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new StreamsException("interrupted while waiting for the schema registry", e);
        }
    }
}

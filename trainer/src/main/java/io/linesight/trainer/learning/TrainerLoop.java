package io.linesight.trainer.learning;

import io.linesight.schemas.registry.RegistryException;
import io.linesight.trainer.imagestore.DatasetStore;
import io.linesight.trainer.learning.Lease.Acceptance;
import io.linesight.trainer.learning.TrainerEvent.Kind;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.errors.RetriableException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The trainer's loop: reads labels, stores them, answers runs that ask whether the lease is held, and starts runs. It
 * owns the consumer, and it alone calls it. When Kafka, the registry or the disk is unavailable, it retries until they
 * are back.
 */
final class TrainerLoop implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(TrainerLoop.class);
    private static final Duration UNAVAILABLE_DELAY = Duration.ofMillis(500);
    /** Far below the time after which the group expels a member that does not poll. */
    private static final Duration MAX_DELAY = Duration.ofSeconds(5);
    /** How often the loop looks around while it waits. */
    private static final Duration SLICE = Duration.ofMillis(100);

    private final TrainerConfig config;
    private final DatasetStore store;
    private final LabelsReader labels;
    private final LabelConsumer consumer;
    private final @Nullable ResultSampler sampler;
    private final RunScheduler runs;
    private final Lease lease;
    private final ServiceHealth health;
    private final EventLog events;
    private final TrainerService.Timing timing;
    private final LongSupplier nanoTime;
    private final Deadline pendingRetry;
    private volatile boolean polled;
    private volatile boolean waiting;

    /** What the loop works with. */
    record Parts(
            DatasetStore store,
            LabelsReader labels,
            LabelConsumer consumer,
            @Nullable ResultSampler sampler,
            RunScheduler runs) {}

    TrainerLoop(
            TrainerConfig config,
            Parts parts,
            Lease lease,
            ServiceHealth health,
            EventLog events,
            TrainerService.Timing timing,
            LongSupplier nanoTime) {
        this.config = config;
        store = parts.store;
        labels = parts.labels;
        consumer = parts.consumer;
        sampler = parts.sampler;
        runs = parts.runs;
        this.lease = lease;
        this.health = health;
        this.events = events;
        this.timing = timing;
        this.nanoTime = nanoTime;
        pendingRetry = new Deadline(nanoTime);
    }

    /** Whether the group was joined. */
    boolean hasPolled() {
        return polled;
    }

    /** Whether labels wait for something outside. */
    boolean isWaiting() {
        return waiting;
    }

    @Override
    public void run() {
        try {
            while (!health.isStopping()) runOnce();
        } catch (RuntimeException | Error e) {
            health.fail(e);
        } finally {
            lease.close();
            closeLabels();
        }
    }

    void runOnce() {
        try {
            ConsumerRecords<String, byte[]> records = labels.poll();
            polled = true;
            if (lease.isHeld()) {
                storeLabels(records);
                retryPendingLabels();
                sampleResults();
            }
            reportRecovery(records);
            lease.answer(this::commit);
            runs.startIfDue(labels);
        } catch (RegistryException | RetriableException e) {
            if (e instanceof RegistryException r && !r.mayPass()) throw e;
            retryAfter(
                    UNAVAILABLE_DELAY,
                    "Kafka or the schema registry cannot be used now; labels wait in Kafka, none is lost or "
                            + "rejected, and they are stored when it can: "
                            + e.getMessage());
        } catch (IOException e) {
            retryAfter(
                    timing.retry().compareTo(MAX_DELAY) < 0 ? timing.retry() : MAX_DELAY,
                    "the dataset store " + config.store().folder()
                            + " cannot be written; labels wait in Kafka, none is lost, and they are stored when it "
                            + "can, when there is space for instance: "
                            + e);
        }
    }

    private void storeLabels(ConsumerRecords<String, byte[]> records) throws IOException {
        if (records.isEmpty()) return;
        List<ConsumerRecord<String, byte[]>> list = new ArrayList<>();
        Map<Integer, Long> next = new HashMap<>();
        for (ConsumerRecord<String, byte[]> record : records) {
            list.add(record);
            next.merge(record.partition(), record.offset() + 1, Math::max);
        }
        int changed = consumer.consume(list);
        store.advance(next);
        labels.commit();
        if (changed > 0)
            events.info(
                    Kind.LABELS,
                    EventLog.NO_RUN,
                    "stored " + changed + " labels; " + runs.newNormals() + " normals are new since the last run");
    }

    private void retryPendingLabels() throws IOException {
        if (!pendingRetry.hasPassed()) return;
        pendingRetry.setIn(timing.lateFrame());
        if (!store.pending().isEmpty()) consumer.retryPending();
    }

    private void sampleResults() {
        if (sampler != null) sampler.poll();
    }

    private void reportRecovery(ConsumerRecords<String, byte[]> records) {
        // An empty poll proves nothing: the broker may not have sent the awaited records again yet.
        if (!waiting || records.isEmpty() && !labels.isCaughtUp()) return;
        waiting = false;
        if (lease.isHeld()) events.info(Kind.WORKING, EventLog.NO_RUN, "labels are stored again");
    }

    private Acceptance commit() {
        try {
            return labels.commit();
        } catch (RetriableException e) {
            return Acceptance.UNKNOWN;
        }
    }

    private void retryAfter(Duration delay, String obstacle) {
        if (!waiting) events.waiting(EventLog.NO_RUN, obstacle);
        waiting = true;
        labels.rewind();
        Deadline retry = new Deadline(nanoTime);
        retry.setIn(delay);
        do {
            // A run in progress still gets its answers.
            lease.answer(this::commit);
            sleep(delay.compareTo(SLICE) < 0 ? delay : SLICE);
        } while (!health.isStopping() && !retry.hasPassed());
    }

    private static void sleep(Duration time) {
        try {
            Thread.sleep(time.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void closeLabels() {
        try {
            labels.close();
        } catch (RuntimeException e) {
            LOG.warn("The labels consumer did not close cleanly: {}", e.toString());
        }
    }
}

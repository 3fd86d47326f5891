package io.linesight.streams.inspect;

import io.linesight.schemas.DeadLetterCode;
import io.linesight.schemas.clients.Backoff;
import io.linesight.schemas.clients.DaemonThreads;
import io.linesight.schemas.registry.RegistryException;
import io.linesight.schemas.serde.BadRecordException;
import io.linesight.schemas.serde.SerdeFactory;
import io.linesight.schemas.serde.UnknownSchemas;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds out, off the stream threads, whether the registry knows the schemas that frames name. A registry that is
 * unavailable, refuses or is hidden behind a proxy's page is asked for as long as it takes; a schema that it does not
 * know is asked for again for a while, because replicas of a registry lag. Thread-safe.
 */
final class SchemaInquiry implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(SchemaInquiry.class);
    private static final Backoff BACKOFF = Backoff.exponential(Duration.ofMillis(100), Duration.ofSeconds(2));
    private static final Duration UNKNOWN_DELAY = Duration.ofMillis(250);
    /** How often a schema that stays unknown is asked for again, while frames name it. */
    private static final long RECHECK_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final long REMINDER_NANOS = TimeUnit.MINUTES.toNanos(1);
    /** A producer may name any number of ids; beyond this they are simply asked for again. */
    private static final int REMEMBERED = 10_000;

    /** Whether a record may be handed on. */
    enum Answer {
        /** It can be read or rejected without the registry. */
        PASS,
        /** Not before the registry has answered. */
        WAIT
    }

    /** @param known false where the registry was asked for long enough and does not know it */
    private record Verdict(boolean known, long askedAt) {}

    /** @param sample a record that names the schema; reading it is how the registry is asked, whatever the serde */
    private record Inquiry(ConsumerRecord<byte[], byte[]> sample, boolean recheck, CountDownLatch settled) {}

    private final Consumer<ConsumerRecord<byte[], byte[]>> read;
    private final UnknownSchemas unknown;
    private final LongSupplier nanos;
    private final Map<Object, Verdict> verdicts = new ConcurrentHashMap<>();
    private final Map<Object, Inquiry> open = new ConcurrentHashMap<>();
    private final Semaphore asked = new Semaphore(0);
    // The inquiring thread's.
    private int failures;
    private long troubleSince;
    private long remindedAt;

    private volatile @Nullable String trouble;
    private volatile @Nullable Thread thread;

    /**
     * @param read reads a record, and fails as the serdes of {@link SerdeFactory} do
     * @param unknownTimeout how long a schema may be unknown before its frames become dead letters
     * @param nanos the clock
     */
    SchemaInquiry(Consumer<ConsumerRecord<byte[], byte[]>> read, Duration unknownTimeout, LongSupplier nanos) {
        this.read = read;
        unknown = new UnknownSchemas(unknownTimeout, nanos);
        this.nanos = nanos;
    }

    /** Begins to ask. */
    void start() {
        Thread inquirer = DaemonThreads.factory("linesight-registry").newThread(this::run);
        thread = inquirer;
        inquirer.start();
    }

    /** Whether the record may be handed on; if not, the registry is being asked. Never blocks. */
    Answer ask(ConsumerRecord<byte[], byte[]> record) {
        Object schema = SerdeFactory.schemaOf(record.headers(), record.value());
        if (schema == null) return Answer.PASS;
        Verdict verdict = verdicts.get(schema);
        if (verdict == null) {
            inquire(schema, record, false);
            return Answer.WAIT;
        }
        if (!verdict.known && nanos.getAsLong() - verdict.askedAt > RECHECK_NANOS) inquire(schema, record, true);
        return Answer.PASS;
    }

    private void inquire(Object schema, ConsumerRecord<byte[], byte[]> record, boolean recheck) {
        Inquiry inquiry = new Inquiry(record, recheck, new CountDownLatch(1));
        if (open.putIfAbsent(schema, inquiry) == null) asked.release();
    }

    /** Waits for the answer about a record's schema, which normally takes milliseconds; true once there is one. */
    boolean awaitAnswer(ConsumerRecord<byte[], byte[]> record, Duration timeout) {
        Object schema = SerdeFactory.schemaOf(record.headers(), record.value());
        Inquiry inquiry = schema == null ? null : open.get(schema);
        // Only while nothing is known to be wrong: a stream thread has other partitions.
        if (inquiry == null || trouble != null) return schema == null || verdicts.containsKey(schema);
        try {
            return inquiry.settled.await(timeout.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** Whether there is an answer about the schema, good or bad. */
    boolean isSettled(Object schema) {
        return verdicts.containsKey(schema);
    }

    /** Whether the registry was asked for the schema for long enough and does not know it. */
    boolean isUnknown(Object schema) {
        Verdict verdict = verdicts.get(schema);
        return verdict != null && !verdict.known;
    }

    /** What keeps the registry from answering; empty while it answers, or is not asked. */
    Optional<String> trouble() {
        return Optional.ofNullable(trouble);
    }

    private void run() {
        Duration delay = Duration.ZERO;
        try {
            while (!Thread.currentThread().isInterrupted()) {
                if (open.isEmpty()) asked.acquire();
                else if (asked.tryAcquire(delay.toMillis(), TimeUnit.MILLISECONDS)) delay = Duration.ZERO;
                asked.drainPermits();
                delay = askAll();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // closed
        }
    }

    /**
     * Asks for every schema that is open.
     *
     * @return when to ask again for those that stay open
     */
    Duration askAll() {
        for (Map.Entry<Object, Inquiry> entry : open.entrySet()) {
            Object schema = entry.getKey();
            Inquiry inquiry = entry.getValue();
            try {
                read.accept(inquiry.sample);
                settle(schema, inquiry, true);
            } catch (BadRecordException e) {
                if (e.code() == DeadLetterCode.UNKNOWN_SCHEMA) unknown(schema, inquiry);
                else settle(schema, inquiry, true); // the registry has answered; the record is what is bad
            } catch (RegistryException e) {
                return unavailable(schema, inquiry, e);
            } catch (RuntimeException e) {
                if (Thread.currentThread().isInterrupted()) return Duration.ZERO;
                LOG.debug("Reading a frame of {} failed; its task finds out why", name(schema), e);
                settle(schema, inquiry, true);
            }
            answered();
        }
        return UNKNOWN_DELAY;
    }

    private void settle(Object schema, Inquiry inquiry, boolean known) {
        if (verdicts.size() >= REMEMBERED) verdicts.clear();
        verdicts.put(schema, new Verdict(known, nanos.getAsLong()));
        open.remove(schema);
        if (known) unknown.known(schema);
        inquiry.settled.countDown();
        if (inquiry.recheck && known) LOG.info("The registry knows {} now; its frames are inspected", name(schema));
    }

    private void unknown(Object schema, Inquiry inquiry) {
        if (unknown.isWorthAsking(schema)) return;
        settle(schema, inquiry, false);
        if (!inquiry.recheck)
            LOG.warn("The registry does not know {}; its frames become dead letters until it does", name(schema));
    }

    private Duration unavailable(Object schema, Inquiry inquiry, RegistryException e) {
        if (inquiry.recheck) {
            // What was known of it stays.
            open.remove(schema);
            inquiry.settled.countDown();
            return BACKOFF.delay(++failures);
        }
        unknown.outage();
        long now = nanos.getAsLong();
        if (trouble == null || now - remindedAt > REMINDER_NANOS) {
            if (trouble == null) troubleSince = now;
            remindedAt = now;
            LOG.warn(
                    "Frames of {} wait in Kafka for the schema registry{}; those of schemas that are known are "
                            + "inspected meanwhile. {}",
                    name(schema),
                    now == troubleSince ? "" : ", for " + TimeUnit.NANOSECONDS.toSeconds(now - troubleSince) + " s now",
                    e.getMessage());
        }
        trouble = e.getMessage();
        return BACKOFF.delay(++failures);
    }

    private void answered() {
        failures = 0;
        if (trouble == null) return;
        trouble = null;
        LOG.info(
                "The schema registry answers again after {} ms",
                TimeUnit.NANOSECONDS.toMillis(nanos.getAsLong() - troubleSince));
    }

    static String name(Object schema) {
        return schema instanceof Integer ? "schema id " + schema : "schema " + schema;
    }

    @Override
    public void close() {
        Thread inquirer = thread;
        if (inquirer != null) inquirer.interrupt();
    }
}

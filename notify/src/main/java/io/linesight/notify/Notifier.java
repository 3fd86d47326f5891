package io.linesight.notify;

import io.linesight.notify.Sink.DeliveryException;
import io.linesight.schemas.Alert;
import io.linesight.schemas.DeadLetterCode;
import io.linesight.schemas.clients.Backoff;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.clients.DaemonThreads;
import io.linesight.schemas.registry.RegistryException;
import io.linesight.schemas.serde.BadRecordException;
import io.linesight.schemas.serde.RecordDecoder;
import io.linesight.schemas.topics.DeadLetterHeaders;
import io.linesight.schemas.topics.Topics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.LongAdder;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the alerts topic in a consumer group of its own and delivers every change to one sink: at least once, in the
 * order of each camera (all alerts of a camera lie in one partition). An offset is committed once its record was
 * delivered, passed over by the filter, or put aside as a dead letter.
 *
 * <p>A sink that is away makes its partition wait in Kafka, with growing delays; nothing is kept in memory but the
 * record in hand. What a sink refuses for good, and what it has not taken for too long, goes to the dead-letter topic.
 *
 * <p>Threads: one of its own; every method may be called from any. Ownership: it closes the sink; whoever starts it
 * closes it.
 */
public final class Notifier implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Notifier.class);
    private static final Duration POLL = Duration.ofMillis(200);
    private static final Backoff BACKOFF =
            Backoff.exponential(Duration.ofMillis(500), Duration.ofSeconds(60)).withJitter();

    /**
     * How a notifier works.
     *
     * @param group consumer group; instances of one group share the work
     * @param fromBeginning whether a group that is new begins with the oldest alerts; otherwise with the next
     * @param giveUpAfter how long a notification is tried before it is put aside; at least a second
     */
    public record Options(AlertFilter filter, String group, boolean fromBeginning, Duration giveUpAfter) {}

    /**
     * What became of changes since the start.
     *
     * @param delivered taken by the sink
     * @param filtered not wanted
     * @param retries deliveries that failed and are tried again
     * @param deadLetters put aside
     * @param waiting partitions that wait for the sink now
     */
    public record Counts(long delivered, long filtered, long retries, long deadLetters, int waiting) {}

    /** A partition that waits for the sink. */
    private static final class Retry {
        private final long offset;
        private final long since;
        private int attempts;
        private long notBefore;

        Retry(long offset, long since) {
            this.offset = offset;
            this.since = since;
        }
    }

    private final Options options;
    private final Sink sink;
    private final String deadLetters;
    private final KafkaConsumer<byte[], byte[]> consumer;
    private final KafkaProducer<byte[], byte[]> producer;
    private final RecordDecoder<Alert> decoder;
    private final Map<TopicPartition, Retry> retries = new HashMap<>();
    private final Map<TopicPartition, OffsetAndMetadata> done = new HashMap<>();
    private final LongAdder delivered = new LongAdder();
    private final LongAdder filtered = new LongAdder();
    private final LongAdder retried = new LongAdder();
    private final LongAdder putAside = new LongAdder();
    private final Thread thread;
    private volatile int waiting;
    private volatile boolean stopped;
    private volatile @Nullable Throwable failure;

    private Notifier(Map<String, String> settings, Sink sink, Options options) {
        this.options = options;
        this.sink = sink;
        Topics topics = Topics.from(settings);
        deadLetters = topics.deadLetter().name();
        Map<String, Object> configs = ClientSettings.forReader(settings);
        configs.put(ConsumerConfig.GROUP_ID_CONFIG, options.group);
        configs.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, options.fromBeginning ? "earliest" : "latest");
        configs.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 100);
        consumer = ClientSettings.openConsumer(configs);
        producer = ClientSettings.openProducer(ClientSettings.forWriter(settings));
        decoder = RecordDecoder.of(Alert.class, settings);
        consumer.subscribe(List.of(topics.alerts().name()), new Rebalance());
        thread = DaemonThreads.create("linesight-notify", this::run);
    }

    /**
     * Starts to deliver; returns at once.
     *
     * @param settings of Kafka's clients, topics and the Avro serde
     */
    public static Notifier start(Map<String, String> settings, Sink sink, Options options) {
        Notifier notifier = new Notifier(settings, sink, options);
        notifier.thread.start();
        return notifier;
    }

    /** Where it stands. */
    public Counts counts() {
        return new Counts(delivered.sum(), filtered.sum(), retried.sum(), putAside.sum(), waiting);
    }

    /** What ended it before it was closed. */
    public Optional<Throwable> failure() {
        return Optional.ofNullable(failure);
    }

    private void run() {
        try {
            while (!stopped) step();
            commit();
        } catch (WakeupException e) {
            // close() woke the poll
        } catch (RuntimeException | Error e) {
            if (!stopped) {
                failure = e;
                LOG.error("Alerts are no longer delivered to {}; start it again", sink.name(), e);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            consumer.close();
        }
    }

    private void step() throws InterruptedException {
        resumeThoseThatAreDue();
        ConsumerRecords<byte[], byte[]> records = consumer.poll(POLL);
        for (TopicPartition partition : records.partitions())
            for (ConsumerRecord<byte[], byte[]> record : records.records(partition))
                if (stopped || !handle(partition, record)) break;
        commit();
    }

    private void resumeThoseThatAreDue() {
        long now = System.nanoTime();
        List<TopicPartition> due = new ArrayList<>();
        retries.forEach((partition, retry) -> {
            if (retry.notBefore - now <= 0) due.add(partition);
        });
        if (!due.isEmpty()) consumer.resume(due);
        waiting = retries.size();
    }

    /** @return false when the partition has to wait */
    private boolean handle(TopicPartition partition, ConsumerRecord<byte[], byte[]> record)
            throws InterruptedException {
        String problem;
        Duration wish = null;
        try {
            Alert alert = decoder.decode(record);
            if (alert == null || !options.filter.wants(alert)) {
                filtered.increment();
            } else {
                sink.deliver(Notification.of(alert));
                delivered.increment();
            }
            return finished(partition, record);
        } catch (BadRecordException e) {
            return putAside(partition, record, e.code(), String.valueOf(e.getMessage()));
        } catch (DeliveryException e) {
            problem = String.valueOf(e.getMessage());
            if (!e.mayPass() || isGivenUp(partition, record))
                return putAside(
                        partition,
                        record,
                        DeadLetterCode.NOT_DELIVERED,
                        sink.name() + (e.mayPass() ? " did not take it for too long: " : " refused it: ") + problem);
            wish = e.retryAfter();
        } catch (RegistryException e) {
            problem = String.valueOf(e.getMessage());
        }
        await(partition, record, problem, wish);
        return false;
    }

    private boolean finished(TopicPartition partition, ConsumerRecord<byte[], byte[]> record) {
        Retry retry = retries.remove(partition);
        if (retry != null) LOG.info("{} takes alerts again", sink.name());
        done.put(partition, new OffsetAndMetadata(record.offset() + 1));
        return true;
    }

    private boolean isGivenUp(TopicPartition partition, ConsumerRecord<byte[], byte[]> record) {
        Retry retry = retries.get(partition);
        return retry != null
                && retry.offset == record.offset()
                && System.nanoTime() - retry.since > options.giveUpAfter.toNanos();
    }

    private void await(
            TopicPartition partition, ConsumerRecord<byte[], byte[]> record, String problem, @Nullable Duration wish) {
        Retry retry = retries.get(partition);
        if (retry == null || retry.offset != record.offset()) {
            retry = new Retry(record.offset(), System.nanoTime());
            retries.put(partition, retry);
            LOG.warn("Alerts wait for {}: {}. They stay in Kafka and are delivered when it can", sink.name(), problem);
        }
        retried.increment();
        Duration delay = BACKOFF.delay(++retry.attempts);
        if (wish != null && wish.compareTo(delay) > 0) delay = wish;
        retry.notBefore = System.nanoTime() + delay.toNanos();
        waiting = retries.size();
        consumer.pause(List.of(partition));
        consumer.seek(partition, record.offset());
    }

    /** @return false when that cannot be done now, and the partition waits */
    private boolean putAside(
            TopicPartition partition, ConsumerRecord<byte[], byte[]> record, DeadLetterCode code, String why)
            throws InterruptedException {
        RecordHeaders headers = new RecordHeaders(record.headers());
        DeadLetterHeaders.write(headers, code, why, record.topic(), record.partition(), record.offset());
        try {
            producer.send(new ProducerRecord<>(deadLetters, null, record.key(), record.value(), headers))
                    .get();
        } catch (ExecutionException | KafkaException e) {
            await(partition, record, "the dead letter cannot be written: " + e.getMessage(), null);
            return false;
        }
        LOG.warn(
                "The alert at {}-{} offset {} was not delivered and is a dead letter: {}",
                record.topic(),
                record.partition(),
                record.offset(),
                why);
        putAside.increment();
        return finished(partition, record);
    }

    private void commit() {
        if (done.isEmpty()) return;
        try {
            consumer.commitSync(done);
            done.clear();
        } catch (RebalanceInProgressException | RetriableException e) {
            LOG.debug("Not committed now", e);
        } catch (org.apache.kafka.clients.consumer.CommitFailedException e) {
            // Another instance has the partitions and delivers the last ones again.
            LOG.debug("Not committed any more", e);
            done.clear();
        }
    }

    private final class Rebalance implements ConsumerRebalanceListener {
        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            commit();
            onPartitionsLost(partitions);
        }

        @Override
        public void onPartitionsLost(Collection<TopicPartition> partitions) {
            partitions.forEach(retries::remove);
            partitions.forEach(done::remove);
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {}
    }

    /** Finishes the delivery in hand and commits. */
    @Override
    public void close() {
        stopped = true;
        try {
            thread.join(POLL.toMillis() + 1_000);
            if (thread.isAlive()) {
                // A sink that hangs: its alert was not committed and comes again.
                thread.interrupt();
                thread.join(5_000);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        producer.close(Duration.ofSeconds(5));
        decoder.close();
        sink.close();
    }
}

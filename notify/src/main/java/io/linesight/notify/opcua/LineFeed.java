package io.linesight.notify.opcua;

import io.linesight.schemas.Alert;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.clients.Backoff;
import io.linesight.schemas.clients.BrokerFault;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.clients.DaemonThreads;
import io.linesight.schemas.registry.RegistryException;
import io.linesight.schemas.serde.BadRecordException;
import io.linesight.schemas.serde.RecordDecoder;
import io.linesight.schemas.topics.Topics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.LongAdder;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads all alerts that are kept and the newest results, and follows both; it belongs to no consumer group, since every
 * server shows everything. Whatever it waits for, it goes on by itself.
 *
 * <p>Threads: {@link #catchUp} on the caller's, then one of its own.
 */
final class LineFeed implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LineFeed.class);
    private static final Duration POLL = Duration.ofMillis(200);
    private static final Duration CHECK_EVERY = Duration.ofSeconds(2);
    private static final Duration CHECK_TIMEOUT = Duration.ofSeconds(5);
    private static final Backoff BACKOFF = Backoff.exponential(Duration.ofMillis(500), Duration.ofSeconds(10));
    /** Results of each partition that are read at the start, so that a line which stands still shows something. */
    private static final long NEWEST_RESULTS = 2_000;

    /** Gets what is read, on the feed's thread. */
    interface Listener {
        void alert(Alert alert);

        void result(InspectionResult result);

        /** After the records of one request, and now and then when there are none. */
        void pause();

        /** Whether Kafka and the registry answer. */
        void fresh(boolean now);
    }

    private final String brokers;
    private final String alerts;
    private final String results;
    private final KafkaConsumer<byte[], byte[]> consumer;
    private final RecordDecoder<Alert> alertDecoder;
    private final RecordDecoder<InspectionResult> resultDecoder;
    private final Listener listener;
    private final Set<TopicPartition> partitions = new HashSet<>();
    private final Thread thread;
    private final LongAdder rejected = new LongAdder();
    private long checked;
    private int failures;
    private volatile boolean stopped;
    private volatile @Nullable Throwable failure;

    LineFeed(Map<String, String> settings, Listener listener) {
        this.listener = listener;
        brokers = String.valueOf(settings.get("bootstrap.servers"));
        Topics topics = Topics.from(settings);
        alerts = topics.alerts().name();
        results = topics.results().name();
        alertDecoder = RecordDecoder.of(Alert.class, settings);
        resultDecoder = RecordDecoder.of(InspectionResult.class, settings);
        Map<String, Object> configs = ClientSettings.forReader(settings);
        // Where the broker has deleted what was to be read next, the oldest that is left comes next.
        configs.put("auto.offset.reset", "earliest");
        consumer = ClientSettings.openConsumer(configs);
        thread = DaemonThreads.create("linesight-opcua", this::run);
    }

    /**
     * Reads up to what the topics have now.
     *
     * @throws KafkaException for people, when the broker or the registry does not answer or a topic is missing
     */
    void catchUp() {
        try {
            assignNew();
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            Map<TopicPartition, Long> begins = consumer.beginningOffsets(partitions);
            for (TopicPartition p : partitions)
                if (p.topic().equals(results)) consumer.seek(p, Math.max(begins.get(p), ends.get(p) - NEWEST_RESULTS));
            long deadline = System.nanoTime() + Duration.ofMinutes(1).toNanos();
            while (partitions.stream().anyMatch(p -> consumer.position(p) < ends.get(p))) {
                ConsumerRecords<byte[], byte[]> records = consumer.poll(POLL);
                if (!records.isEmpty())
                    deadline = System.nanoTime() + Duration.ofMinutes(1).toNanos();
                else if (System.nanoTime() - deadline > 0) throw new TimeoutException("nothing was read for a minute");
                handle(records);
            }
        } catch (KafkaException e) {
            throw new KafkaException(BrokerFault.explain(brokers, e), e);
        }
    }

    /** Goes on from there until closed. */
    void follow() {
        thread.start();
    }

    private void assignNew() {
        List<TopicPartition> added = new ArrayList<>();
        for (String topic : List.of(alerts, results)) {
            List<PartitionInfo> infos = consumer.partitionsFor(topic);
            if (infos == null || infos.isEmpty())
                throw new KafkaException("there is no topic " + topic + ". Create it with: linesight topics");
            for (PartitionInfo info : infos) {
                TopicPartition p = new TopicPartition(topic, info.partition());
                if (partitions.add(p)) added.add(p);
            }
        }
        if (added.isEmpty()) return;
        consumer.assign(partitions);
        consumer.seekToBeginning(added);
    }

    private void run() {
        try {
            while (!stopped) step();
        } catch (RuntimeException | Error e) {
            if (stopped) return;
            failure = e;
            listener.fresh(false);
            LOG.error("The OPC UA server shows nothing new; start it again", e);
        }
    }

    private void step() {
        try {
            handle(consumer.poll(POLL));
            if (System.nanoTime() - checked > CHECK_EVERY.toNanos()) check();
        } catch (WakeupException e) {
            // close() woke the poll
        } catch (KafkaException e) {
            if (stopped) return;
            if (failures++ == 0)
                LOG.warn(
                        "{}. What is shown stays and is marked as uncertain; this is tried again",
                        BrokerFault.explain(brokers, e));
            listener.fresh(false);
            sleep();
        }
        listener.pause();
    }

    /** Asks the broker for something that it must answer: a poll is silent either way. */
    private void check() {
        assignNew();
        consumer.endOffsets(partitions, CHECK_TIMEOUT);
        checked = System.nanoTime();
        if (failures > 0) LOG.info("Kafka and the registry answer again; what is shown is the newest");
        failures = 0;
        listener.fresh(true);
    }

    private void handle(ConsumerRecords<byte[], byte[]> records) {
        for (ConsumerRecord<byte[], byte[]> record : records) {
            if (stopped) return;
            if (record.topic().equals(alerts)) {
                Alert alert = decode(alertDecoder, record);
                if (alert != null) listener.alert(alert);
            } else {
                InspectionResult result = decode(resultDecoder, record);
                if (result != null) listener.result(result);
            }
        }
        listener.pause();
    }

    /** @return null for what nobody can read */
    private <T extends SpecificRecord> @Nullable T decode(
            RecordDecoder<T> decoder, ConsumerRecord<byte[], byte[]> record) {
        while (!stopped) {
            try {
                return decoder.decode(record);
            } catch (BadRecordException e) {
                rejected.increment();
                LOG.debug("{}-{} offset {} is passed over", record.topic(), record.partition(), record.offset(), e);
                return null;
            } catch (RegistryException e) {
                if (!thread.isAlive()) throw new KafkaException(e.getMessage(), e);
                if (failures++ == 0) LOG.warn("Alerts and results wait for the schema registry: {}", e.getMessage());
                listener.fresh(false);
                sleep();
            }
        }
        return null;
    }

    private void sleep() {
        try {
            Thread.sleep(BACKOFF.delay(failures).toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            stopped = true;
        }
    }

    /** Records that nobody can read. */
    long rejected() {
        return rejected.sum();
    }

    Optional<Throwable> failure() {
        return Optional.ofNullable(failure);
    }

    @Override
    public void close() {
        stopped = true;
        consumer.wakeup();
        thread.interrupt();
        try {
            if (thread.isAlive()) thread.join(Duration.ofSeconds(10).toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (!thread.isAlive()) consumer.close();
        alertDecoder.close();
        resultDecoder.close();
    }
}

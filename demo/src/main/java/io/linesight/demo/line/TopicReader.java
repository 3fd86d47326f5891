package io.linesight.demo.line;

import io.linesight.schemas.AnomalyEvent;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.serde.AvroSerde;
import io.linesight.schemas.topics.DeadLetterHeaders;
import io.linesight.schemas.topics.Topics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads results, anomaly events and dead letters, committed ones only, from the moment it is opened. Runs a thread of
 * its own until closed.
 */
public final class TopicReader implements AutoCloseable {
    /** Called on the reader's thread, in the order of each partition. */
    public interface Listener {
        void result(InspectionResult result, long arrivedMicros);

        void anomaly(AnomalyEvent event);

        /** @param source where the frame lay; null when the dead letter does not say */
        void deadLetter(FrameRef source, String code, String message, ConsumerRecord<String, byte[]> record);
    }

    private static final Logger LOG = LoggerFactory.getLogger(TopicReader.class);
    private final KafkaConsumer<String, byte[]> consumer;
    private final AvroSerde<InspectionResult> resultSerde;
    private final AvroSerde<AnomalyEvent> anomalySerde;
    private final Topics topics;
    private final Listener listener;
    private final Thread thread;
    private final AtomicLong unreadable = new AtomicLong();
    private volatile boolean stop;
    private volatile Throwable failure;

    private TopicReader(Map<String, ?> settings, Topics topics, Listener listener) {
        this.topics = topics;
        this.listener = listener;
        resultSerde = AvroSerde.of(InspectionResult.class, settings, false);
        anomalySerde = AvroSerde.of(AnomalyEvent.class, settings, false);
        Map<String, Object> configs = new HashMap<>();
        settings.forEach((k, v) -> {
            if (ConsumerConfig.configNames().contains(k)) configs.put(k, v);
        });
        configs.putAll(topics.limits().consumerConfigs());
        configs.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        configs.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        configs.put(ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, 15_000);
        consumer = new KafkaConsumer<>(configs, new StringDeserializer(), new ByteArrayDeserializer());
        List<TopicPartition> partitions = new ArrayList<>();
        for (String topic : List.of(
                topics.results().name(),
                topics.anomalies().name(),
                topics.deadLetter().name())) {
            consumer.partitionsFor(topic).forEach(p -> partitions.add(new TopicPartition(topic, p.partition())));
        }
        consumer.assign(partitions);
        consumer.seekToEnd(partitions);
        // Seeking is lazy: only now is "the end" a fixed place.
        partitions.forEach(consumer::position);
        thread = new Thread(this::run, "linesight-reader");
        thread.setDaemon(true);
    }

    /**
     * Opens at the end of the topics: what is written afterwards is read, nothing before.
     *
     * @param settings at least {@code bootstrap.servers} and {@code schema.registry.url}
     * @throws org.apache.kafka.common.KafkaException when broker or registry cannot be used
     */
    public static TopicReader open(Map<String, ?> settings, Topics topics, Listener listener) {
        TopicReader reader = new TopicReader(settings, topics, listener);
        reader.thread.start();
        return reader;
    }

    /** Records of the topics that could not be understood. */
    public long unreadable() {
        return unreadable.get();
    }

    /** What ended the reader before it was closed; null while all is well. */
    public Throwable failure() {
        return failure;
    }

    private void run() {
        try {
            while (!stop) {
                for (ConsumerRecord<String, byte[]> record : consumer.poll(Duration.ofMillis(200))) take(record);
            }
        } catch (WakeupException e) {
            // close() woke the poll
        } catch (RuntimeException e) {
            failure = e;
            LOG.error("Stopped reading results", e);
        } finally {
            consumer.close();
        }
    }

    private void take(ConsumerRecord<String, byte[]> record) {
        try {
            if (record.topic().equals(topics.results().name())) {
                long now = System.currentTimeMillis() * 1000;
                listener.result(resultSerde.deserializer().deserialize(record.topic(), record.value()), now);
            } else if (record.topic().equals(topics.anomalies().name())) {
                listener.anomaly(anomalySerde.deserializer().deserialize(record.topic(), record.value()));
            } else {
                var reason = DeadLetterHeaders.read(record.headers()).orElse(null);
                listener.deadLetter(
                        reason == null ? null : reason.getSource(),
                        reason == null ? "UNKNOWN" : reason.getCode().name(),
                        reason == null ? "" : reason.getMessage(),
                        record);
            }
        } catch (SerializationException e) {
            unreadable.incrementAndGet();
            LOG.warn(
                    "Left out a record of {}-{} at {}: {}",
                    record.topic(),
                    record.partition(),
                    record.offset(),
                    e.getMessage());
        }
    }

    @Override
    public void close() {
        stop = true;
        consumer.wakeup();
        try {
            thread.join(10_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        resultSerde.close();
        anomalySerde.close();
    }
}

package io.linesight.streams;

import io.linesight.schemas.clients.ClientSettings;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.Serializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes records beside the stream: with a producer of its own, outside the results' transactions, so that a record may
 * be missing or there twice after a crash. Never throws: what cannot be written is counted and logged. Thread-safe.
 */
final class TopicPublisher<T> implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(TopicPublisher.class);
    private static final long WARNING_INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(30);

    private final String topic;
    private final Serializer<T> serializer;
    private final Function<T, String> key;
    private final KafkaProducer<byte[], byte[]> producer;
    private final AtomicLong lost = new AtomicLong();
    private final AtomicLong warnedAt = new AtomicLong(System.nanoTime() - WARNING_INTERVAL_NANOS);

    /**
     * @param settings of the producer, brokers included; what this class depends on is set on top
     * @param key of a record
     * @param maxBlock max wait of {@link #publish} for the broker
     */
    public TopicPublisher(
            String topic,
            Map<String, Object> settings,
            Serializer<T> serializer,
            Function<T, String> key,
            Duration maxBlock) {
        this.topic = topic;
        this.serializer = serializer;
        this.key = key;
        Map<String, Object> configs = ClientSettings.forWriter(settings);
        configs.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, "" + maxBlock.toMillis());
        producer = ClientSettings.openProducer(configs);
    }

    /** Hands a record to the producer. */
    public void publish(T record) {
        try {
            byte[] value = serializer.serialize(topic, record);
            producer.send(
                    new ProducerRecord<>(topic, key.apply(record).getBytes(StandardCharsets.UTF_8), value),
                    (metadata, e) -> {
                        if (e != null) lost(e);
                    });
        } catch (RuntimeException e) {
            lost(e);
        }
    }

    private void lost(Exception e) {
        long count = lost.incrementAndGet();
        long now = System.nanoTime();
        long last = warnedAt.get();
        if (now - last >= WARNING_INTERVAL_NANOS && warnedAt.compareAndSet(last, now)) {
            LOG.warn(
                    "A record for {} was not written ({} so far); results are not affected: {}",
                    topic,
                    count,
                    e.toString());
        }
    }

    /** Records that could not be written. */
    public long lost() {
        return lost.get();
    }

    /** Sends what is buffered, up to five seconds. */
    @Override
    public void close() {
        producer.close(Duration.ofSeconds(5));
    }
}

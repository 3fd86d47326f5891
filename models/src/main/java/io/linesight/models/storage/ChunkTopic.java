package io.linesight.models.storage;

import io.linesight.models.storage.CheckpointStoreException.Reason;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.clients.RangeReader;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * Writes and scans the chunk topic, which has one partition. Nothing is connected before it is needed.
 *
 * <p>Threads: safe to share. Ownership: whoever makes it closes it.
 */
final class ChunkTopic implements AutoCloseable {
    private static final Duration MAX_CLOSE = Duration.ofSeconds(10);

    private final ModelsConfig config;
    private final String name;
    private final TopicPartition partition;
    private @Nullable KafkaProducer<byte[], byte[]> producer;

    ChunkTopic(ModelsConfig config) {
        this.config = config;
        name = config.topics().modelChunks().name();
        partition = new TopicPartition(name, 0);
    }

    String name() {
        return name;
    }

    /** @param value null removes the chunk */
    Future<RecordMetadata> send(ChunkKey key, byte @Nullable [] value) {
        return producer().send(new ProducerRecord<>(name, 0, key.bytes(), value));
    }

    void flush() {
        producer().flush();
    }

    /** Reads the topic; one thread. */
    Scan open() {
        return new Scan();
    }

    /** Gets the records of a scan. */
    interface Visitor {
        /** Returns false to end the scan early. */
        boolean visit(@Nullable ChunkKey key, ConsumerRecord<byte[], byte[]> record) throws CheckpointStoreException;
    }

    /** A reader of the topic. */
    final class Scan implements AutoCloseable {
        private final KafkaConsumer<byte[], byte[]> consumer = openConsumer();
        private final long begin =
                consumer.beginningOffsets(List.of(partition), config.timeout()).get(partition);
        private final long end =
                consumer.endOffsets(List.of(partition), config.timeout()).get(partition);

        /** Offset of the first record there may be. */
        long begin() {
            return begin;
        }

        /** Offset behind the last record when the scan was opened. */
        long end() {
            return end;
        }

        /**
         * Reads a range of offsets.
         *
         * @throws CheckpointStoreException UNREACHABLE when the broker stays silent; or what the visitor throws
         */
        void read(long from, long until, Visitor visitor) throws CheckpointStoreException {
            try {
                new RangeReader(consumer, config.timeout())
                        .<CheckpointStoreException>read(
                                Map.of(partition, new RangeReader.Range(from, until)),
                                record -> visitor.visit(ChunkKey.parse(record.key()), record));
            } catch (RangeReader.StalledException e) {
                throw new CheckpointStoreException(
                        Reason.UNREACHABLE,
                        "the broker at " + config.broker() + " does not answer: nothing of " + name + " for "
                                + config.timeout().toSeconds() + " s. Nothing was kept; it can be tried again",
                        e);
            }
        }

        @Override
        public void close() {
            consumer.close();
        }
    }

    private KafkaConsumer<byte[], byte[]> openConsumer() {
        Map<String, Object> c = ClientSettings.forReader(config.settings());
        // Compaction may have removed the first offsets; then reading starts behind them.
        c.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        c.put(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG, 4 << 20);
        c.put(ConsumerConfig.FETCH_MAX_BYTES_CONFIG, 4 << 20);
        c.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 8);
        c.put(ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, config.timeoutMillis());
        return ClientSettings.openConsumer(c);
    }

    private synchronized KafkaProducer<byte[], byte[]> producer() {
        if (producer == null) {
            Map<String, Object> c = ClientSettings.forWriter(config.settings());
            // INVARIANT: one request in flight. With several, a new topic's first leader may reject the first and
            // accept the second, and then never accept the first.
            c.put(ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION, 1);
            c.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, "none"); // weights do not compress
            c.put(ProducerConfig.LINGER_MS_CONFIG, 0);
            c.put(ProducerConfig.BUFFER_MEMORY_CONFIG, 8L << 20);
            c.put(ProducerConfig.BATCH_SIZE_CONFIG, 1 << 14);
            int timeout = config.timeoutMillis();
            c.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, timeout);
            c.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, timeout);
            c.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, (int) Math.min(Integer.MAX_VALUE, 2L * timeout));
            producer = ClientSettings.openProducer(c);
        }
        return producer;
    }

    @Override
    public synchronized void close() {
        if (producer == null) return;
        producer.close(config.timeout().compareTo(MAX_CLOSE) < 0 ? config.timeout() : MAX_CLOSE);
    }
}

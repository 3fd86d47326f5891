package io.linesight.streams.inspect;

import io.linesight.schemas.CameraFrame;
import io.linesight.schemas.registry.RegistryException;
import io.linesight.schemas.serde.SerdeFactory;
import io.linesight.streams.config.InspectionConfig;
import io.linesight.streams.monitoring.InspectionMetrics;
import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.streams.KafkaClientSupplier;

/**
 * All that the inspection needs of the schema registry, arranged so that no stream thread waits for it: what is written
 * is registered before the first frame is read ({@link #prime}), and a frame is polled only once its schema is known
 * ({@link #clients}). Thread-safe.
 */
public final class RegistryAccess implements AutoCloseable {

    private final InspectionMetrics metrics;
    private final SchemaInquiry inquiry;
    private final FrameReader reader;
    private final EventWriter writer;

    private RegistryAccess(InspectionMetrics metrics, SchemaInquiry inquiry, FrameReader reader, EventWriter writer) {
        this.metrics = metrics;
        this.inquiry = inquiry;
        this.reader = reader;
        this.writer = writer;
    }

    /**
     * Contacts nothing yet.
     *
     * @throws org.apache.kafka.common.config.ConfigException when the serde rejects its settings
     */
    public static RegistryAccess of(InspectionConfig config, InspectionMetrics metrics) {
        RegistryRetry retry = new RegistryRetry(config.recovery().registryRetry(), metrics);
        Deserializer<CameraFrame> frames =
                SerdeFactory.create(CameraFrame.class, config.serdes(), false).deserializer();
        SchemaInquiry inquiry = new SchemaInquiry(
                (ConsumerRecord<byte[], byte[]> r) -> frames.deserialize(r.topic(), r.headers(), r.value()),
                config.recovery().unknownSchemaTimeout(),
                System::nanoTime);
        FrameReader reader = new FrameReader(config.topics().frames().name(), frames, retry, inquiry);
        return new RegistryAccess(metrics, inquiry, reader, new EventWriter(config, retry));
    }

    /**
     * Registers or finds the schemas of everything that is written, so that it need not be done while a transaction is
     * open.
     *
     * @throws RegistryException or another exception of the serde, when one of them can never be written
     */
    public void prime() {
        writer.prime();
        inquiry.start();
    }

    FrameReader reader() {
        return reader;
    }

    EventWriter writer() {
        return writer;
    }

    /** Why partitions wait for the registry now; empty while none does. */
    public Optional<String> whyWaiting() {
        return metrics.waitingPartitions() == 0
                ? Optional.empty()
                : inquiry.trouble().map(why -> "frames wait for the schema registry: " + why);
    }

    /**
     * Clients for Kafka Streams, whose main consumers hold partitions back while the registry cannot say what their
     * frames are. They are asked for with the classic group protocol only.
     */
    public KafkaClientSupplier clients() {
        return new KafkaClientSupplier() {
            @Override
            public Admin getAdmin(Map<String, Object> configs) {
                return Admin.create(configs);
            }

            @Override
            public Producer<byte[], byte[]> getProducer(Map<String, Object> configs) {
                return new KafkaProducer<>(configs, new ByteArraySerializer(), new ByteArraySerializer());
            }

            @Override
            public Consumer<byte[], byte[]> getConsumer(Map<String, Object> configs) {
                return new HoldingConsumer(configs);
            }

            @Override
            public Consumer<byte[], byte[]> getRestoreConsumer(Map<String, Object> configs) {
                return new KafkaConsumer<>(configs, new ByteArrayDeserializer(), new ByteArrayDeserializer());
            }

            @Override
            public Consumer<byte[], byte[]> getGlobalConsumer(Map<String, Object> configs) {
                return new KafkaConsumer<>(configs, new ByteArrayDeserializer(), new ByteArrayDeserializer());
            }
        };
    }

    @Override
    public void close() {
        inquiry.close();
    }

    private final class HoldingConsumer extends KafkaConsumer<byte[], byte[]> {
        private final HeldPartitions held;

        HoldingConsumer(Map<String, Object> configs) {
            super(configs, new ByteArrayDeserializer(), new ByteArrayDeserializer());
            held = new HeldPartitions(inquiry, new Own(), metrics::registryHolds, HeldPartitions.NORMAL_ANSWER);
        }

        @Override
        public ConsumerRecords<byte[], byte[]> poll(Duration timeout) {
            held.release();
            return held.admit(super.poll(timeout));
        }

        @Override
        public void pause(Collection<TopicPartition> partitions) {
            held.pause(partitions);
        }

        @Override
        public void resume(Collection<TopicPartition> partitions) {
            held.resume(partitions);
        }

        @Override
        public void close(org.apache.kafka.clients.consumer.CloseOptions options) {
            held.close();
            super.close(options);
        }

        /** The consumer's own operations, past what is overridden here. */
        private final class Own implements HeldPartitions.Partitions {
            @Override
            public Set<TopicPartition> assignment() {
                return HoldingConsumer.this.assignment();
            }

            @Override
            public void seek(TopicPartition partition, OffsetAndMetadata to) {
                HoldingConsumer.this.seek(partition, to);
            }

            @Override
            public void pause(Collection<TopicPartition> partitions) {
                HoldingConsumer.super.pause(partitions);
            }

            @Override
            public void resume(Collection<TopicPartition> partitions) {
                HoldingConsumer.super.resume(partitions);
            }
        }
    }
}

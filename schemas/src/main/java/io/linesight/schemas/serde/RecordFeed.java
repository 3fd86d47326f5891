package io.linesight.schemas.serde;

import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.clients.RangeReader;
import io.linesight.schemas.clients.TopicCursor;
import io.linesight.schemas.clients.TopicFollower;
import io.linesight.schemas.registry.RegistryException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A small topic as its records: all that it holds now, and where it is followed, what is written from then on. Hands
 * every record over, also those that cannot be read. What follows the topic waits for the registry as long as it takes:
 * a record that was passed over because the registry is away would be missing until the next start.
 *
 * <p>Threads: safe to share; records are handed over on the caller's thread first, and on one of its own later.
 * Ownership: whoever opens it closes it.
 */
public final class RecordFeed<T extends SpecificRecord> implements AutoCloseable {
    private static final Duration STALL_TIMEOUT = Duration.ofSeconds(15);

    private final RecordDecoder<T> decoder;
    private final Handler<T> handler;
    private final boolean patient;
    private @Nullable TopicFollower follower;
    private volatile boolean closed;

    /** Takes records in the order of the topic; one may come twice. */
    @FunctionalInterface
    public interface Handler<T> {
        /**
         * @param key null where the record has none
         * @param value null where the record is empty or cannot be read
         * @param problem why it cannot be read; null where it can
         */
        void handle(long offset, @Nullable String key, @Nullable T value, @Nullable String problem);
    }

    private RecordFeed(RecordDecoder<T> decoder, Handler<T> handler, boolean patient) {
        this.decoder = decoder;
        this.handler = handler;
        this.patient = patient;
    }

    /**
     * Reads the topic once; returns when everything that it holds was handed over.
     *
     * @param clients settings of Kafka's clients
     * @param serdes settings of the Avro serde, registry address included
     * @throws org.apache.kafka.common.KafkaException when broker or registry do not answer or the topic does not exist
     */
    public static <T extends SpecificRecord> void readAll(
            Class<T> type, Map<String, ?> clients, Map<String, String> serdes, String topic, Handler<T> handler) {
        try (RecordFeed<T> feed = new RecordFeed<>(RecordDecoder.of(type, serdes), handler, false)) {
            feed.readAll(clients, topic);
        }
    }

    /**
     * As {@link #readAll}, and follows what is written from then on.
     *
     * @param thread name of the thread that follows
     */
    public static <T extends SpecificRecord> RecordFeed<T> open(
            String thread,
            Class<T> type,
            Map<String, ?> clients,
            Map<String, String> serdes,
            String topic,
            Handler<T> handler) {
        RecordFeed<T> feed = new RecordFeed<>(RecordDecoder.of(type, serdes), handler, true);
        try {
            // First the place from which it follows, then all before it: nothing lies between.
            TopicCursor cursor = TopicCursor.atEnd(ClientSettings.forReader(clients), List.of(topic));
            feed.readAll(clients, topic);
            feed.follower = TopicFollower.start(thread, cursor, feed::take);
            return feed;
        } catch (RuntimeException e) {
            feed.close();
            throw e;
        }
    }

    private void readAll(Map<String, ?> clients, String topic) {
        Map<String, Object> configs = ClientSettings.forReader(clients);
        configs.put("auto.offset.reset", "earliest");
        try (KafkaConsumer<byte[], byte[]> consumer = ClientSettings.openConsumer(configs)) {
            RangeReader reader = new RangeReader(consumer, STALL_TIMEOUT);
            reader.<RuntimeException>read(reader.ranges(List.of(topic)), record -> {
                take(record);
                return true;
            });
        }
    }

    private void take(ConsumerRecord<byte[], byte[]> record) {
        String key = record.key() == null ? null : new String(record.key(), StandardCharsets.UTF_8);
        T value = null;
        String problem = null;
        try {
            value = patient ? decoder.awaitRegistry(record, () -> closed) : decoder.await(record);
        } catch (BadRecordException e) {
            problem = String.valueOf(e.getMessage());
        } catch (RegistryException e) {
            if (closed) return;
            if (e.mayPass()) throw e;
            problem = String.valueOf(e.getMessage());
        }
        handler.handle(record.offset(), key, value, problem);
    }

    /** What ended the following; then nothing more is handed over until a restart. */
    public Optional<Throwable> failure() {
        return follower == null ? Optional.empty() : follower.failure();
    }

    @Override
    public void close() {
        closed = true;
        if (follower != null) follower.close();
        decoder.close();
    }
}

package io.linesight.streams.exemption;

import io.linesight.schemas.Exemption;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.clients.RangeReader;
import io.linesight.schemas.clients.TopicCursor;
import io.linesight.schemas.clients.TopicFollower;
import io.linesight.schemas.registry.RegistryException;
import io.linesight.schemas.serde.BadRecordException;
import io.linesight.schemas.serde.RecordDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows the exemptions topic into a book.
 *
 * <p>Threads: safe to share. Ownership: whoever opens it closes it.
 */
public final class ExemptionFeed implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ExemptionFeed.class);
    private static final Duration STALL_TIMEOUT = Duration.ofSeconds(15);

    private final ExemptionBook book;
    private final RecordDecoder<Exemption> decoder;
    private final boolean patient;
    private @Nullable TopicFollower follower;
    private volatile boolean closed;

    /** @param patient whether it waits for the registry as long as it takes */
    private ExemptionFeed(ExemptionBook book, Map<String, String> serdes, boolean patient) {
        this.book = book;
        this.patient = patient;
        decoder = RecordDecoder.of(Exemption.class, serdes);
    }

    /**
     * Reads the topic into a book once; returns when everything that it holds is there.
     *
     * @param clients settings of Kafka's clients
     * @param serdes settings of the Avro serde, registry address included
     * @throws KafkaException when broker or registry do not answer or the topic does not exist
     */
    public static void readAll(ExemptionBook book, Map<String, ?> clients, Map<String, String> serdes, String topic) {
        ExemptionFeed feed = new ExemptionFeed(book, serdes, false);
        try (feed) {
            feed.readAll(clients, topic);
        }
    }

    /** As {@link #readAll}, and follows what is written from then on. */
    public static ExemptionFeed open(
            ExemptionBook book, Map<String, ?> clients, Map<String, String> serdes, String topic) {
        ExemptionFeed feed = new ExemptionFeed(book, serdes, true);
        try {
            // First the place from which it follows, then all before it: nothing lies between, and the book passes over
            // what it has read.
            TopicCursor cursor = TopicCursor.atEnd(ClientSettings.forReader(clients), List.of(topic));
            feed.readAll(clients, topic);
            feed.follower = TopicFollower.start("linesight-exemptions", cursor, feed::take);
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

    /** An exemption that was passed over because the registry is away would be missing until the next start. */
    private void take(ConsumerRecord<byte[], byte[]> record) {
        String key = record.key() == null ? null : new String(record.key(), StandardCharsets.UTF_8);
        Exemption value = null;
        boolean readable = true;
        try {
            value = patient ? decoder.awaitRegistry(record, () -> closed) : decoder.await(record);
        } catch (BadRecordException e) {
            LOG.debug("Record {} of {} cannot be read", record.offset(), record.topic(), e);
            readable = false;
        } catch (RegistryException e) {
            if (closed) return;
            if (e.mayPass()) throw e;
            LOG.debug("The schema of record {} of {} is not to be had", record.offset(), record.topic(), e);
            readable = false;
        }
        book.read(record.offset(), key, value, readable);
    }

    /** What ended the following; then the book stays as it is until a restart. */
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

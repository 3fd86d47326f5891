package io.linesight.streams.exemption;

import io.linesight.schemas.Exemption;
import io.linesight.schemas.serde.RecordFeed;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows the exemptions topic into a book.
 *
 * <p>Threads: safe to share. Ownership: whoever opens it closes it.
 */
public final class ExemptionFeed implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ExemptionFeed.class);

    private final RecordFeed<Exemption> records;

    private ExemptionFeed(RecordFeed<Exemption> records) {
        this.records = records;
    }

    /**
     * Reads the topic into a book once; returns when everything that it holds is there.
     *
     * @param clients settings of Kafka's clients
     * @param serdes settings of the Avro serde, registry address included
     * @throws org.apache.kafka.common.KafkaException when broker or registry do not answer or the topic does not exist
     */
    public static void readAll(ExemptionBook book, Map<String, ?> clients, Map<String, String> serdes, String topic) {
        RecordFeed.readAll(Exemption.class, clients, serdes, topic, into(book));
    }

    /** As {@link #readAll}, and follows what is written from then on; the book passes over what it has read. */
    public static ExemptionFeed open(
            ExemptionBook book, Map<String, ?> clients, Map<String, String> serdes, String topic) {
        return new ExemptionFeed(
                RecordFeed.open("linesight-exemptions", Exemption.class, clients, serdes, topic, into(book)));
    }

    private static RecordFeed.Handler<Exemption> into(ExemptionBook book) {
        return (offset, key, value, problem) -> {
            if (problem != null) LOG.debug("Exemption at {} cannot be read: {}", offset, problem);
            book.read(offset, key, value, problem == null);
        };
    }

    /** What ended the following; then the book stays as it is until a restart. */
    public Optional<Throwable> failure() {
        return records.failure();
    }

    @Override
    public void close() {
        records.close();
    }
}

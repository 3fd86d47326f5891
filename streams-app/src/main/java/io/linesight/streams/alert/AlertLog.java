package io.linesight.streams.alert;

import io.linesight.schemas.Alert;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.clients.RangeReader;
import io.linesight.schemas.clients.TopicCursor;
import io.linesight.schemas.registry.RegistryException;
import io.linesight.schemas.serde.BadRecordException;
import io.linesight.schemas.serde.RecordDecoder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the topic of alerts holds: changes in order, and the present state of each alert. Reads committed records only.
 * One thread at a time; to be closed.
 */
public final class AlertLog implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(AlertLog.class);
    private static final Duration STALL_TIMEOUT = Duration.ofSeconds(15);
    private static final Duration POLL = Duration.ofMillis(200);

    private final Map<String, ?> clients;
    private final String topic;
    private final RecordDecoder<Alert> decoder;

    /**
     * Contacts nothing yet.
     *
     * @param clients settings of Kafka's clients
     * @param serdes settings of the Avro serde, registry address included
     * @param topic that of alerts
     */
    public AlertLog(Map<String, ?> clients, Map<String, String> serdes, String topic) {
        this.clients = clients;
        this.topic = topic;
        decoder = RecordDecoder.of(Alert.class, serdes);
    }

    /**
     * Every change that the topic still has, by time; those of one alert by revision.
     *
     * @throws KafkaException when broker or registry do not answer or the topic does not exist
     */
    public List<Alert> read() {
        List<Alert> found = new ArrayList<>();
        Map<String, Object> configs = ClientSettings.forReader(clients);
        configs.put("auto.offset.reset", "earliest");
        try (KafkaConsumer<byte[], byte[]> consumer = ClientSettings.openConsumer(configs)) {
            RangeReader reader = new RangeReader(consumer, STALL_TIMEOUT);
            reader.<RuntimeException>read(reader.ranges(List.of(topic)), record -> {
                decode(record).ifPresent(found::add);
                return true;
            });
        }
        // Stable, so that the records of a partition with one time stay in order.
        found.sort(Comparator.comparing(Alert::getAt));
        return found;
    }

    /** The latest record of each alert, of what {@link #read} gave, in the order in which the alerts were opened. */
    public static Collection<Alert> latest(List<Alert> changes) {
        Map<String, Alert> latest = new LinkedHashMap<>();
        for (Alert alert : changes)
            latest.merge(alert.getAlertId(), alert, (a, b) -> a.getRevision() > b.getRevision() ? a : b);
        return latest.values();
    }

    /** A place behind the last change there is now, from which answers are awaited; to be closed. */
    public Answers answers() {
        return new Answers(TopicCursor.atEnd(ClientSettings.forReader(clients), List.of(topic)));
    }

    /** Waits for the answers to actions. */
    public final class Answers implements AutoCloseable {
        private final TopicCursor cursor;

        private Answers(TopicCursor cursor) {
            this.cursor = cursor;
        }

        /** The record that answers an action; empty when there was none in time. */
        public Optional<Alert> await(String actionId, Duration timeout) {
            long deadline = System.nanoTime() + timeout.toNanos();
            do {
                for (ConsumerRecord<byte[], byte[]> record : cursor.poll(POLL)) {
                    Optional<Alert> answer = decode(record).filter(a -> actionId.equals(a.getActionId()));
                    if (answer.isPresent()) return answer;
                }
            } while (System.nanoTime() - deadline < 0);
            return Optional.empty();
        }

        @Override
        public void close() {
            cursor.close();
        }
    }

    private Optional<Alert> decode(ConsumerRecord<byte[], byte[]> record) {
        try {
            return Optional.ofNullable(decoder.await(record));
        } catch (BadRecordException e) {
            LOG.warn("Record {} of {} is no alert that can be read", record.offset(), record.topic());
            return Optional.empty();
        } catch (RegistryException e) {
            if (e.mayPass()) throw e;
            LOG.warn("The schema of record {} of {} is not to be had", record.offset(), record.topic());
            return Optional.empty();
        }
    }

    @Override
    public void close() {
        decoder.close();
    }
}

package io.linesight.demo.line;

import io.linesight.schemas.AnomalyEvent;
import io.linesight.schemas.DeadLetterReason;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.clients.TopicCursor;
import io.linesight.schemas.clients.TopicFollower;
import io.linesight.schemas.serde.RecordDecoder;
import io.linesight.schemas.topics.DeadLetterHeaders;
import io.linesight.schemas.topics.TopicSpec;
import io.linesight.schemas.topics.Topics;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.errors.SerializationException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads committed results, anomaly events and dead letters from the moment it is opened, and waits while the schema
 * registry is unavailable. Runs a thread of its own until closed.
 */
public final class TopicReader implements AutoCloseable {
    /** Called on the reader's thread, in the order of each partition. */
    public interface Listener {
        /** @param arrivedMicros when the result was read, in microseconds since 1970 */
        void result(InspectionResult result, long arrivedMicros);

        void anomaly(AnomalyEvent event);

        /** @param source the frame; null when the dead letter does not name it */
        void deadLetter(@Nullable FrameRef source, String code);
    }

    private static final Logger LOG = LoggerFactory.getLogger(TopicReader.class);

    private final Topics topics;
    private final Listener listener;
    private final RecordDecoder<InspectionResult> results;
    private final RecordDecoder<AnomalyEvent> anomalies;
    private final TopicFollower follower;
    private volatile boolean closed;

    private TopicReader(Map<String, ?> settings, Topics topics, Listener listener) {
        this.topics = topics;
        this.listener = listener;
        results = RecordDecoder.of(InspectionResult.class, settings);
        anomalies = RecordDecoder.of(AnomalyEvent.class, settings);
        Map<String, Object> configs = ClientSettings.forReader(settings);
        configs.putAll(topics.limits().consumerConfigs());
        List<String> names = Stream.of(topics.results(), topics.anomalies(), topics.deadLetter())
                .map(TopicSpec::name)
                .toList();
        follower = TopicFollower.start("linesight-reader", TopicCursor.atEnd(configs, names), this::dispatch);
    }

    /**
     * Opens at the end of the topics: reads what is written afterwards, and nothing from before.
     *
     * @param settings at least {@code bootstrap.servers} and {@code schema.registry.url}
     * @throws org.apache.kafka.common.KafkaException when the broker or the registry is unavailable
     */
    public static TopicReader open(Map<String, ?> settings, Topics topics, Listener listener) {
        return new TopicReader(settings, topics, listener);
    }

    /** What ended the reader before it was closed; empty while all is well. */
    public Optional<Throwable> failure() {
        return follower.failure();
    }

    private void dispatch(ConsumerRecord<byte[], byte[]> record) {
        String topic = record.topic();
        try {
            if (topic.equals(topics.results().name())) {
                long now = System.currentTimeMillis() * 1000;
                InspectionResult result = results.awaitRegistry(record, () -> closed);
                if (result != null) listener.result(result, now);
            } else if (topic.equals(topics.anomalies().name())) {
                AnomalyEvent event = anomalies.awaitRegistry(record, () -> closed);
                if (event != null) listener.anomaly(event);
            } else {
                Optional<DeadLetterReason> reason = DeadLetterHeaders.read(record.headers());
                listener.deadLetter(
                        reason.map(DeadLetterReason::getSource).orElse(null),
                        reason.map(r -> r.getCode().name()).orElse("UNKNOWN"));
            }
        } catch (SerializationException e) {
            LOG.warn("Skipped record {}-{}-{}: {}", topic, record.partition(), record.offset(), e.getMessage());
        }
    }

    @Override
    public void close() {
        closed = true;
        follower.close();
        results.close();
        anomalies.close();
    }
}

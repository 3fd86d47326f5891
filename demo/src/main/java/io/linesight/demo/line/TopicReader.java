package io.linesight.demo.line;

import io.linesight.schemas.AnomalyEvent;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.clients.TopicCursor;
import io.linesight.schemas.clients.TopicFollower;
import io.linesight.schemas.serde.AvroSerde;
import io.linesight.schemas.topics.DeadLetterHeaders;
import io.linesight.schemas.topics.Topics;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.errors.SerializationException;
import org.jspecify.annotations.Nullable;
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
        void deadLetter(FrameRef source, String code, String message);
    }

    private static final Logger LOG = LoggerFactory.getLogger(TopicReader.class);
    private final AvroSerde<InspectionResult> resultSerde;
    private final AvroSerde<AnomalyEvent> anomalySerde;
    private final Topics topics;
    private final Listener listener;
    private final TopicFollower follower;
    private final AtomicLong unreadable = new AtomicLong();

    private TopicReader(Map<String, ?> settings, Topics topics, Listener listener) {
        this.topics = topics;
        this.listener = listener;
        resultSerde = AvroSerde.of(InspectionResult.class, settings, false);
        anomalySerde = AvroSerde.of(AnomalyEvent.class, settings, false);
        Map<String, Object> configs = ClientSettings.forReader(settings);
        configs.putAll(topics.limits().consumerConfigs());
        follower = TopicFollower.start(
                "linesight-reader",
                TopicCursor.atEnd(
                        configs,
                        List.of(
                                topics.results().name(),
                                topics.anomalies().name(),
                                topics.deadLetter().name())),
                this::handle);
    }

    /**
     * Opens at the end of the topics: what is written afterwards is read, nothing before.
     *
     * @param settings at least {@code bootstrap.servers} and {@code schema.registry.url}
     * @throws org.apache.kafka.common.KafkaException when broker or registry cannot be used
     */
    public static TopicReader open(Map<String, ?> settings, Topics topics, Listener listener) {
        return new TopicReader(settings, topics, listener);
    }

    /** Records of the topics that could not be understood. */
    public long unreadable() {
        return unreadable.get();
    }

    /** What ended the reader before it was closed. */
    public @Nullable Throwable failure() {
        return follower.failure().orElse(null);
    }

    private void handle(ConsumerRecord<byte[], byte[]> record) {
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
                        reason == null ? "" : reason.getMessage());
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
        follower.close();
        resultSerde.close();
        anomalySerde.close();
    }
}

package io.linesight.streams.inspect;

import io.linesight.schemas.topics.TopicSpec;
import io.linesight.streams.config.InspectionConfig;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.ErrorHandlerContext;
import org.apache.kafka.streams.errors.ProductionExceptionHandler;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the output topics take. A record that is too large must never reach the producer: it would doom the transaction,
 * and the frame would come again and fail again. A limit that somebody lowers while the app runs costs one transaction,
 * by which it is learned. Thread-safe.
 */
final class OutputLimits {

    private static final Logger LOG = LoggerFactory.getLogger(OutputLimits.class);
    private static final String KEY = "linesight.internal.output.limits";
    /** A letter needs this much for its reason. */
    private static final long MIN = 16 << 10;

    private final Map<String, Long> limits = new ConcurrentHashMap<>();

    OutputLimits(InspectionConfig config) {
        Object request =
                config.streamsProperties().get(StreamsConfig.producerPrefix(ProducerConfig.MAX_REQUEST_SIZE_CONFIG));
        long producer = request == null
                ? Long.MAX_VALUE
                : Long.parseLong(request.toString().trim());
        for (TopicSpec topic : new TopicSpec[] {
            config.topics().results(),
            config.topics().anomalies(),
            config.topics().deadLetter()
        }) limits.put(topic.name(), Math.min(producer, topic.maxMessageBytes()));
    }

    /** Bytes that a record for the topic may have, by {@link RecordSize}. */
    long of(String topic) {
        return limits.getOrDefault(topic, Long.MAX_VALUE);
    }

    /** Settings by which Kafka Streams tells this about records that were too large all the same. */
    Map<String, Object> handler() {
        return Map.of(StreamsConfig.PRODUCTION_EXCEPTION_HANDLER_CLASS_CONFIG, Handler.class.getName(), KEY, this);
    }

    void learn(String topic, long rejected) {
        long limit = limits.merge(topic, Math.max(MIN, rejected - 1), Math::min);
        LOG.warn(
                "Topic {} rejected a record of {} bytes as too large, though it is expected to take it. From now on "
                        + "records of more than {} bytes are shortened or become dead letters. Raise max.message.bytes "
                        + "of the topic to what 'linesight topics --describe' says, and start the app again",
                topic,
                rejected,
                limit);
    }

    /** Made by Kafka Streams. */
    public static final class Handler implements ProductionExceptionHandler {
        private OutputLimits limits;

        @Override
        public Response handleError(
                ErrorHandlerContext context, ProducerRecord<byte[], byte[]> record, Exception exception) {
            if (exception instanceof RecordTooLargeException && limits != null)
                limits.learn(record.topic(), RecordSize.of(record.key(), record.value(), record.headers()));
            return Response.fail();
        }

        @Override
        public void configure(Map<String, ?> configs) {
            limits = (OutputLimits) configs.get(KEY);
        }
    }
}

package io.linesight.streams.offsets;

import io.linesight.schemas.FrameRef;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.clients.RangeReader;
import io.linesight.schemas.clients.RangeReader.Range;
import io.linesight.schemas.serde.RecordDecoder;
import io.linesight.schemas.topics.AnswerHeaders;
import io.linesight.schemas.topics.DeadLetterHeaders;
import io.linesight.schemas.topics.TopicSpec;
import io.linesight.streams.config.InspectionConfig;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.SerializationException;
import org.jspecify.annotations.Nullable;

/** Reads which frames have an answer. Joins no group; one thread; whoever opens it closes it. */
final class AnswerReader implements AutoCloseable {
    /** Results that tell, per partition, whether the topic of frames is the one that was inspected before. */
    private static final long RESULTS = 200;
    /** Dead letters are as large as frames. */
    private static final long LETTERS = 5;

    private static final Duration STALL_TIMEOUT = Duration.ofSeconds(40);

    private final InspectionConfig config;
    private final KafkaConsumer<byte[], byte[]> consumer;
    private final RangeReader reader;
    private final RecordDecoder<InspectionResult> results;

    AnswerReader(InspectionConfig config) {
        this.config = config;
        consumer = ClientSettings.openConsumer(ClientSettings.forReader(config.adminProperties()));
        reader = new RangeReader(consumer, STALL_TIMEOUT);
        results = RecordDecoder.of(InspectionResult.class, config.serdes());
    }

    /** Books the newest answers of every partition. */
    void readNewest(AnsweredFrames answered) {
        read(tail(config.topics().results(), RESULTS), this::ofResult, answered);
        read(tail(config.topics().deadLetter(), LETTERS), AnswerReader::ofLetter, answered);
    }

    /** Books every answer since a moment, which may take minutes. */
    void readSince(long millis, AnsweredFrames answered) {
        read(since(config.topics().results(), millis), this::ofResult, answered);
        read(since(config.topics().deadLetter(), millis), AnswerReader::ofLetter, answered);
    }

    /** Oldest and newest offsets of the frames. */
    Map<TopicPartition, Range> frames() {
        return reader.ranges(List.of(config.topics().frames().name()));
    }

    /** Time of the oldest of these records, in milliseconds since 1970. */
    long oldestMillis(Map<TopicPartition, Long> offsets) {
        long oldest = Long.MAX_VALUE;
        for (Map.Entry<TopicPartition, Long> place : offsets.entrySet()) {
            long[] time = {oldest};
            reader.read(Map.of(place.getKey(), new Range(place.getValue(), place.getValue() + 1)), r -> {
                time[0] = r.timestamp();
                return false;
            });
            oldest = Math.min(oldest, time[0]);
        }
        return oldest == Long.MAX_VALUE ? 0 : oldest;
    }

    private Map<TopicPartition, Range> tail(TopicSpec topic, long records) {
        Map<TopicPartition, Range> ranges = reader.ranges(List.of(topic.name()));
        ranges.replaceAll((p, r) -> new Range(Math.max(r.from(), r.until() - records), r.until()));
        return ranges;
    }

    private Map<TopicPartition, Range> since(TopicSpec topic, long millis) {
        Map<TopicPartition, Range> ranges = reader.ranges(List.of(topic.name()));
        Map<TopicPartition, Long> times = new HashMap<>();
        ranges.keySet().forEach(p -> times.put(p, Math.max(0, millis)));
        Map<TopicPartition, OffsetAndTimestamp> first = consumer.offsetsForTimes(times);
        ranges.replaceAll((p, r) -> {
            OffsetAndTimestamp from = first.get(p);
            return from == null
                    ? new Range(r.until(), r.until())
                    : new Range(Math.min(from.offset(), r.until()), r.until());
        });
        return ranges;
    }

    private void read(
            Map<TopicPartition, Range> ranges,
            Function<ConsumerRecord<byte[], byte[]>, @Nullable FrameRef> source,
            AnsweredFrames answered) {
        reader.read(ranges, r -> {
            answered.add(source.apply(r), AnswerHeaders.topicId(r.headers()).orElse(null));
            return true;
        });
    }

    private @Nullable FrameRef ofResult(ConsumerRecord<byte[], byte[]> record) {
        try {
            InspectionResult result = results.await(record);
            return result == null ? null : result.getFrameRef();
        } catch (SerializationException e) {
            return null;
        }
    }

    private static @Nullable FrameRef ofLetter(ConsumerRecord<byte[], byte[]> record) {
        return DeadLetterHeaders.read(record.headers())
                .map(reason -> reason.getSource())
                .orElse(null);
    }

    @Override
    public void close() {
        consumer.close();
        results.close();
    }
}

package io.linesight.app.audit;

import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.clients.RangeReader;
import io.linesight.schemas.clients.RangeReader.Range;
import io.linesight.schemas.topics.TopicSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * Reads the records that a topic holds when the scan begins, all or those since a moment. Joins no group. One thread;
 * whoever opens it closes it.
 */
final class TopicScan implements AutoCloseable {
    /** How long an open transaction may hide the end of a topic. */
    private static final Duration TRANSACTION_TIMEOUT = Duration.ofMinutes(2);

    private final Map<String, Object> configs;
    private final @Nullable Instant since;
    private final KafkaConsumer<byte[], byte[]> consumer;
    private final RangeReader reader;

    private TopicScan(Map<String, Object> configs, String isolation, @Nullable Instant since) {
        this.configs = configs;
        this.since = since;
        consumer = open(isolation);
        reader = new RangeReader(consumer, TRANSACTION_TIMEOUT);
    }

    /** @param since records that the broker or the camera dates before it are left out; null for all */
    static TopicScan ofCommitted(Map<String, Object> configs, @Nullable Instant since) {
        return new TopicScan(configs, "read_committed", since);
    }

    /** Reads records of aborted transactions too. */
    static TopicScan ofAll(Map<String, Object> configs, @Nullable Instant since) {
        return new TopicScan(configs, "read_uncommitted", since);
    }

    private KafkaConsumer<byte[], byte[]> open(String isolation) {
        Map<String, Object> own = new HashMap<>(configs);
        own.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, isolation);
        return ClientSettings.openConsumer(own);
    }

    /**
     * What there is to read.
     *
     * @throws KafkaException when the topic does not exist or the broker is unavailable
     */
    Map<TopicPartition, Range> ranges(TopicSpec topic) {
        return ranges(topic, since);
    }

    /** As {@link #ranges(TopicSpec)}, since another moment; null for everything that the topic holds. */
    Map<TopicPartition, Range> ranges(TopicSpec topic, @Nullable Instant from) {
        List<TopicPartition> partitions = reader.partitions(topic.name());
        Map<TopicPartition, Long> begins = consumer.beginningOffsets(partitions);
        Map<TopicPartition, Long> ends = highWatermarks(partitions);
        Map<TopicPartition, OffsetAndTimestamp> sinces = from == null ? Map.of() : offsetsSince(partitions, from);
        Map<TopicPartition, Range> ranges = new HashMap<>();
        for (TopicPartition p : partitions) {
            long end = ends.get(p);
            OffsetAndTimestamp first = sinces.get(p);
            long begin = from == null ? begins.get(p) : first == null ? end : Math.min(first.offset(), end);
            ranges.put(p, new Range(begin, end));
        }
        return ranges;
    }

    /** Oldest offset of every partition. */
    Map<TopicPartition, Long> begins(TopicSpec topic) {
        return consumer.beginningOffsets(reader.partitions(topic.name()));
    }

    /** The oldest record that is left; null in a partition without any. */
    @Nullable
    ConsumerRecord<byte[], byte[]> oldest(TopicPartition partition) {
        List<ConsumerRecord<byte[], byte[]>> found = new ArrayList<>(1);
        reader.read(reader.rangesOf(List.of(partition)), r -> {
            found.add(r);
            return false;
        });
        return found.isEmpty() ? null : found.get(0);
    }

    private Map<TopicPartition, OffsetAndTimestamp> offsetsSince(List<TopicPartition> partitions, Instant from) {
        Map<TopicPartition, Long> times = new HashMap<>();
        partitions.forEach(p -> times.put(p, Math.max(0, from.toEpochMilli())));
        return consumer.offsetsForTimes(times);
    }

    /** Ends that count open transactions: a consumer of committed records would take the first of those for the end. */
    private Map<TopicPartition, Long> highWatermarks(List<TopicPartition> partitions) {
        try (KafkaConsumer<byte[], byte[]> all = open("read_uncommitted")) {
            return all.endOffsets(partitions);
        }
    }

    /**
     * Reads ranges of one topic, in the order of each partition.
     *
     * @return number of records
     * @throws IllegalStateException when a transaction stays open for longer than two minutes
     */
    long read(Map<TopicPartition, Range> ranges, Consumer<ConsumerRecord<byte[], byte[]>> each) {
        try {
            return reader.read(ranges, r -> {
                each.accept(r);
                return true;
            });
        } catch (RangeReader.StalledException e) {
            throw openTransaction(ranges.keySet().iterator().next().topic(), e);
        }
    }

    private static IllegalStateException openTransaction(String topic, RangeReader.StalledException e) {
        return new IllegalStateException(
                "a transaction on " + topic + " has been open for more than " + TRANSACTION_TIMEOUT.toSeconds()
                        + " s and hides the records after it; see 'kafka-transactions.sh find-hanging', and try again",
                e);
    }

    @Override
    public void close() {
        consumer.close();
    }
}

package io.linesight.schemas.clients;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;

/**
 * Reads what lies between two offsets of each partition, and returns when all of it has been read.
 *
 * <p>Threads: one at a time; the consumer belongs to the caller.
 */
public final class RangeReader {
    private static final Duration POLL = Duration.ofMillis(200);

    /**
     * Part of a partition.
     *
     * @param from first offset
     * @param until offset behind the last
     */
    public record Range(long from, long until) {}

    /** Takes records in the order of each partition. */
    @FunctionalInterface
    public interface Visitor<E extends Exception> {
        /** @return false to end the reading early */
        boolean visit(ConsumerRecord<byte[], byte[]> record) throws E;
    }

    /** For too long no partition moved on: the broker is silent, or an open transaction hides what follows. */
    public static final class StalledException extends KafkaException {
        private static final long serialVersionUID = 1L;

        private StalledException(Collection<TopicPartition> partitions, Duration timeout) {
            super("nothing of " + partitions + " was sent for " + timeout.toSeconds() + " s");
        }
    }

    private final Consumer<byte[], byte[]> consumer;
    private final Duration stallTimeout;
    private final LongSupplier nanoClock;

    /** @param stallTimeout longest wait without any partition moving on */
    public RangeReader(Consumer<byte[], byte[]> consumer, Duration stallTimeout) {
        this(consumer, stallTimeout, System::nanoTime);
    }

    RangeReader(Consumer<byte[], byte[]> consumer, Duration stallTimeout, LongSupplier nanoClock) {
        this.consumer = consumer;
        this.stallTimeout = stallTimeout;
        this.nanoClock = nanoClock;
    }

    /**
     * Everything that these topics hold now, as this consumer sees it.
     *
     * @throws KafkaException when the broker does not answer or a topic does not exist
     */
    public Map<TopicPartition, Range> ranges(Collection<String> topics) {
        Map<TopicPartition, Range> ranges = new HashMap<>();
        for (String topic : topics) ranges.putAll(rangesOf(partitions(topic)));
        return ranges;
    }

    /**
     * Everything that these partitions hold now, as this consumer sees it. Waits for a topic that was just created and
     * that the broker does not know yet.
     *
     * @throws KafkaException when the broker does not answer
     */
    public Map<TopicPartition, Range> rangesOf(Collection<TopicPartition> partitions) {
        Map<TopicPartition, Range> ranges = new HashMap<>();
        Map<TopicPartition, Long> from = consumer.beginningOffsets(partitions);
        Map<TopicPartition, Long> until = consumer.endOffsets(partitions);
        partitions.forEach(p -> ranges.put(p, new Range(from.get(p), until.get(p))));
        return ranges;
    }

    /**
     * All partitions of a topic.
     *
     * @throws KafkaException when the broker does not answer or the topic does not exist
     */
    public List<TopicPartition> partitions(String topic) {
        var infos = consumer.partitionsFor(topic);
        if (infos == null || infos.isEmpty()) throw new KafkaException("there is no topic " + topic);
        return infos.stream().map(i -> new TopicPartition(topic, i.partition())).toList();
    }

    /**
     * Reads the ranges; the consumer is assigned to them.
     *
     * @return records visited
     * @throws StalledException when nothing came for the timeout
     * @throws KafkaException when the broker fails
     */
    public <E extends Exception> long read(Map<TopicPartition, Range> ranges, Visitor<E> visitor) throws E {
        consumer.assign(ranges.keySet());
        ranges.forEach((partition, range) -> consumer.seek(partition, range.from));
        long visited = 0;
        long lastSum = -1;
        long movedAt = nanoClock.getAsLong();
        while (ranges.entrySet().stream().anyMatch(e -> consumer.position(e.getKey()) < e.getValue().until)) {
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                if (record.offset() >= ranges.get(new TopicPartition(record.topic(), record.partition())).until)
                    continue;
                visited++;
                if (!visitor.visit(record)) return visited;
            }
            long sum = ranges.keySet().stream().mapToLong(consumer::position).sum();
            if (sum != lastSum) {
                lastSum = sum;
                movedAt = nanoClock.getAsLong();
            } else if (nanoClock.getAsLong() - movedAt > stallTimeout.toNanos()) {
                throw new StalledException(ranges.keySet(), stallTimeout);
            }
        }
        return visited;
    }
}

package io.linesight.schemas.clients;

import io.linesight.schemas.FrameRef;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Reads single records by topic, partition and offset.
 *
 * <p>Threads: one at a time. Ownership: whoever makes it closes it. It belongs to no consumer group and commits
 * nothing.
 */
public final class RecordFetcher implements AutoCloseable {
    /** Kafka sends at least one batch whatever its size; this keeps it from sending records that nobody asked for. */
    private static final int FETCH_BYTES = 1 << 20;

    private static final Duration POLL = Duration.ofMillis(200);

    private final Consumer<byte[], byte[]> consumer;
    private final Duration timeout;

    /**
     * @param settings at least {@code bootstrap.servers}; what a consumer does not know is ignored
     * @param timeout longest wait for one record that the broker has
     */
    public RecordFetcher(Map<String, ?> settings, Duration timeout) {
        this(ClientSettings.openConsumer(configs(settings)), timeout);
    }

    RecordFetcher(Consumer<byte[], byte[]> consumer, Duration timeout) {
        this.consumer = consumer;
        this.timeout = timeout;
    }

    private static Map<String, Object> configs(Map<String, ?> settings) {
        Map<String, Object> configs = ClientSettings.forReader(settings);
        configs.put(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG, FETCH_BYTES);
        configs.put(ConsumerConfig.FETCH_MAX_BYTES_CONFIG, FETCH_BYTES);
        configs.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none");
        return configs;
    }

    /**
     * Reads records, one partition after the other in the order of their offsets.
     *
     * @param visitor called once for every place, as soon as it is known what lies there
     * @throws KafkaException when the broker does not answer; nothing is known about the places not visited yet
     */
    public void fetch(Collection<FrameRef> places, BiConsumer<FrameRef, RecordLookup> visitor) {
        Map<String, Integer> partitionCounts = new HashMap<>();
        Map<TopicPartition, SortedSet<Long>> wanted =
                new TreeMap<>(Comparator.comparing(TopicPartition::topic).thenComparing(TopicPartition::partition));
        for (FrameRef place : places) {
            int partitions = partitionCounts.computeIfAbsent(place.getTopic(), this::partitionCount);
            if (place.getPartition() < 0 || place.getPartition() >= partitions || place.getOffset() < 0) {
                visitor.accept(place, new RecordLookup.NoSuchPlace(partitions));
            } else {
                wanted.computeIfAbsent(new TopicPartition(place.getTopic(), place.getPartition()), p -> new TreeSet<>())
                        .add(place.getOffset());
            }
        }
        wanted.forEach((partition, offsets) -> fetch(partition, offsets, visitor));
    }

    private int partitionCount(String topic) {
        var infos = consumer.partitionsFor(topic);
        return infos == null ? 0 : infos.size();
    }

    private void fetch(TopicPartition partition, SortedSet<Long> offsets, BiConsumer<FrameRef, RecordLookup> visitor) {
        consumer.assign(List.of(partition));
        long end = consumer.endOffsets(List.of(partition)).get(partition);
        long begin = beginOf(partition);
        Deque<ConsumerRecord<byte[], byte[]>> read = new ArrayDeque<>();
        long next = -1;
        for (long offset : offsets) {
            RecordLookup lookup;
            if (offset < begin) {
                lookup = new RecordLookup.Expired(begin);
            } else if (offset >= end) {
                lookup = new RecordLookup.NotYet(end);
            } else {
                while (!read.isEmpty() && read.peek().offset() < offset) read.poll();
                // Records at hand end where the next poll would begin; only a gap between needs a jump.
                if (read.isEmpty() && next != offset) consumer.seek(partition, offset);
                try {
                    ConsumerRecord<byte[], byte[]> record = recordAt(partition, offset, read);
                    next = consumer.position(partition);
                    lookup = record == null ? new RecordLookup.Absent() : new RecordLookup.Found(record);
                } catch (OffsetOutOfRangeException e) {
                    // Retention was faster than we.
                    begin = beginOf(partition);
                    read.clear();
                    next = -1;
                    lookup = new RecordLookup.Expired(begin);
                }
            }
            visitor.accept(new FrameRef(partition.topic(), partition.partition(), offset), lookup);
        }
    }

    private long beginOf(TopicPartition partition) {
        return consumer.beginningOffsets(List.of(partition)).get(partition);
    }

    /** The record at exactly this offset; what was read beyond it stays in the queue. */
    private @Nullable ConsumerRecord<byte[], byte[]> recordAt(
            TopicPartition partition, long offset, Deque<ConsumerRecord<byte[], byte[]>> read) {
        long deadline = System.nanoTime() + timeout.toNanos();
        while (read.isEmpty()) {
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL))
                if (record.offset() >= offset) read.add(record);
            if (read.isEmpty() && consumer.position(partition) > offset) return null;
            if (read.isEmpty() && System.nanoTime() > deadline) {
                throw new TimeoutException("the broker has " + partition + " at offset " + offset
                        + " but did not send it within " + timeout.toMillis() + " ms; it will be asked for again");
            }
        }
        return read.peek().offset() == offset ? read.poll() : null;
    }

    @Override
    public void close() {
        consumer.close();
    }
}

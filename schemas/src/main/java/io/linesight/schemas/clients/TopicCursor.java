package io.linesight.schemas.clients;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;

/**
 * A place in some topics, from which records are polled: in order within each partition, without a consumer group.
 * Partitions that are added to a topic later are read from their beginning.
 *
 * <p>Threads: one at a time, except {@link #wakeup()}. Ownership: whoever opens it closes it.
 */
public final class TopicCursor implements AutoCloseable {
    private final Consumer<byte[], byte[]> consumer;
    private final List<String> topics;
    private final Set<TopicPartition> partitions = new HashSet<>();

    private TopicCursor(Consumer<byte[], byte[]> consumer, Collection<String> topics) {
        this.consumer = consumer;
        this.topics = List.copyOf(topics);
    }

    /**
     * Opens a cursor before the first record that the topics keep.
     *
     * @param configs of the consumer, see {@link ClientSettings#forReader}
     * @throws KafkaException when the broker does not answer or a topic does not exist
     */
    public static TopicCursor atBeginning(Map<String, Object> configs, Collection<String> topics) {
        return atBeginning(ClientSettings.openConsumer(configs), topics);
    }

    /**
     * Opens a cursor behind the last record that the topics have now: everything written after this returns is read.
     *
     * @param configs of the consumer, see {@link ClientSettings#forReader}
     * @throws KafkaException when the broker does not answer or a topic does not exist
     */
    public static TopicCursor atEnd(Map<String, Object> configs, Collection<String> topics) {
        return atEnd(ClientSettings.openConsumer(configs), topics);
    }

    static TopicCursor atBeginning(Consumer<byte[], byte[]> consumer, Collection<String> topics) {
        TopicCursor cursor = new TopicCursor(consumer, topics);
        try {
            cursor.assignNew(cursor::requireTopic);
            return cursor;
        } catch (RuntimeException e) {
            consumer.close();
            throw e;
        }
    }

    static TopicCursor atEnd(Consumer<byte[], byte[]> consumer, Collection<String> topics) {
        TopicCursor cursor = atBeginning(consumer, topics);
        try {
            consumer.seekToEnd(cursor.partitions);
            // Seeking is lazy: only asking for the position makes "the end" a fixed place.
            cursor.partitions.forEach(consumer::position);
            return cursor;
        } catch (RuntimeException e) {
            consumer.close();
            throw e;
        }
    }

    /**
     * The next records, or none when there are none within the timeout.
     *
     * @throws org.apache.kafka.common.errors.WakeupException after {@link #wakeup()}
     */
    public ConsumerRecords<byte[], byte[]> poll(Duration timeout) {
        assignNew(this::partitionsIfKnown);
        return consumer.poll(timeout);
    }

    /** Ends a poll that is waiting, or the next one. Any thread. */
    public void wakeup() {
        consumer.wakeup();
    }

    /** Cheap: the client answers from its metadata, which it renews every {@code metadata.max.age.ms}. */
    private void assignNew(Function<String, List<PartitionInfo>> lookup) {
        List<TopicPartition> added = new ArrayList<>();
        for (String topic : topics) {
            for (PartitionInfo info : lookup.apply(topic)) {
                TopicPartition partition = new TopicPartition(topic, info.partition());
                if (partitions.add(partition)) added.add(partition);
            }
        }
        if (added.isEmpty()) return;
        consumer.assign(partitions);
        consumer.seekToBeginning(added);
    }

    private List<PartitionInfo> requireTopic(String topic) {
        List<PartitionInfo> infos = consumer.partitionsFor(topic);
        if (infos == null || infos.isEmpty()) throw new KafkaException("there is no topic " + topic);
        return infos;
    }

    /** A topic that is being made again has none for a moment; while the broker is away, those known stay. */
    private List<PartitionInfo> partitionsIfKnown(String topic) {
        try {
            List<PartitionInfo> infos = consumer.partitionsFor(topic);
            return infos == null ? List.of() : infos;
        } catch (TimeoutException e) {
            return List.of();
        }
    }

    @Override
    public void close() {
        consumer.close();
    }
}

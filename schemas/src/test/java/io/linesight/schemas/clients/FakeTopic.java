package io.linesight.schemas.clients;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;

/** A topic in a {@link MockConsumer}, whose partitions hold what a test says. */
final class FakeTopic {
    static final String NAME = "topic";

    final MockConsumer<byte[], byte[]> consumer = new MockConsumer<>("none");
    private int count;

    FakeTopic(int partitions) {
        grow(partitions);
    }

    /** Gives the topic this many partitions; new ones are empty. */
    void grow(int partitions) {
        for (int p = count; p < partitions; p++) holds(p, 0, 0);
        count = partitions;
        consumer.updatePartitions(
                NAME,
                IntStream.range(0, partitions)
                        .mapToObj(p -> new PartitionInfo(NAME, p, Node.noNode(), new Node[0], new Node[0]))
                        .toList());
    }

    static TopicPartition partition(int number) {
        return new TopicPartition(NAME, number);
    }

    /** Says which offsets a partition has: from {@code begin} to before {@code end}. */
    void holds(int partition, long begin, long end) {
        consumer.updateBeginningOffsets(Map.of(partition(partition), begin));
        consumer.updateEndOffsets(Map.of(partition(partition), end));
    }

    /** Sends a record with the next poll; its value is its offset as text. */
    void sendsOnPoll(int partition, long... offsets) {
        consumer.schedulePollTask(() -> {
            for (long offset : offsets)
                consumer.addRecord(new ConsumerRecord<>(
                        NAME, partition, offset, null, Long.toString(offset).getBytes(StandardCharsets.UTF_8)));
        });
    }
}

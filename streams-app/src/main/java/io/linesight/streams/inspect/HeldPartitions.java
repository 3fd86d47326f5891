package io.linesight.streams.inspect;

import io.linesight.schemas.serde.SerdeFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntConsumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * Keeps back what a consumer has polled from the first record on whose schema is not known yet: the partition goes back
 * to that record and pauses. The thread polls on, other partitions flow, nothing counts as consumed and no transaction
 * is open for it, so the registry may stay away for any time. One consumer's, and its thread's.
 */
final class HeldPartitions implements AutoCloseable {

    /** A registry that is well answers within this. */
    static final Duration NORMAL_ANSWER = Duration.ofMillis(300);

    /** What is needed of the consumer; the partitions are assigned to it. */
    interface Partitions {
        Set<TopicPartition> assignment();

        void seek(TopicPartition partition, OffsetAndMetadata to);

        void pause(Collection<TopicPartition> partitions);

        void resume(Collection<TopicPartition> partitions);
    }

    private final SchemaInquiry inquiry;
    private final Partitions partitions;
    private final IntConsumer count;
    private final Duration normalAnswer;
    /** What each partition waits for. */
    private final Map<TopicPartition, Object> held = new HashMap<>();
    /** Paused by Kafka Streams, for reasons of its own. */
    private final Set<TopicPartition> paused = new HashSet<>();

    /**
     * @param count told by how many the number of held partitions changes
     * @param normalAnswer how long the consumer's thread waits for an answer before the partition is held
     */
    HeldPartitions(SchemaInquiry inquiry, Partitions partitions, IntConsumer count, Duration normalAnswer) {
        this.inquiry = inquiry;
        this.partitions = partitions;
        this.count = count;
        this.normalAnswer = normalAnswer;
    }

    /** Lets partitions go on whose schema is settled; call before polling. */
    void release() {
        if (held.isEmpty()) return;
        Set<TopicPartition> assigned = partitions.assignment();
        List<TopicPartition> resumed = new ArrayList<>();
        int before = held.size();
        held.entrySet().removeIf(e -> {
            boolean gone = !assigned.contains(e.getKey());
            if (!gone && !inquiry.isSettled(e.getValue())) return false;
            if (!gone && !paused.contains(e.getKey())) resumed.add(e.getKey());
            return true;
        });
        count.accept(held.size() - before);
        if (!resumed.isEmpty()) partitions.resume(resumed);
    }

    /** The records that may be handed on: the same object while all may. */
    ConsumerRecords<byte[], byte[]> admit(ConsumerRecords<byte[], byte[]> polled) {
        Map<TopicPartition, Integer> cuts = new HashMap<>();
        for (TopicPartition partition : polled.partitions()) {
            int index = 0;
            for (ConsumerRecord<byte[], byte[]> record : polled.records(partition)) {
                if (inquiry.ask(record) == SchemaInquiry.Answer.WAIT && !inquiry.awaitAnswer(record, normalAnswer)) {
                    cuts.put(partition, index);
                    break;
                }
                index++;
            }
        }
        return cuts.isEmpty() ? polled : hold(polled, cuts);
    }

    private ConsumerRecords<byte[], byte[]> hold(
            ConsumerRecords<byte[], byte[]> polled, Map<TopicPartition, Integer> cuts) {
        Map<TopicPartition, List<ConsumerRecord<byte[], byte[]>>> admitted = new HashMap<>();
        Map<TopicPartition, OffsetAndMetadata> next = new HashMap<>(polled.nextOffsets());
        for (TopicPartition partition : polled.partitions()) {
            List<ConsumerRecord<byte[], byte[]>> records = polled.records(partition);
            Integer cut = cuts.get(partition);
            if (cut == null) {
                admitted.put(partition, records);
                continue;
            }
            ConsumerRecord<byte[], byte[]> first = records.get(cut);
            OffsetAndMetadata position = new OffsetAndMetadata(first.offset(), first.leaderEpoch(), "");
            if (cut > 0) admitted.put(partition, List.copyOf(records.subList(0, cut)));
            next.put(partition, position);
            partitions.seek(partition, position);
            hold(partition, first);
        }
        return new ConsumerRecords<>(admitted, next);
    }

    private void hold(TopicPartition partition, ConsumerRecord<byte[], byte[]> first) {
        Object schema = SerdeFactory.schemaOf(first.headers(), first.value());
        if (held.put(partition, schema) == null) count.accept(1);
        partitions.pause(Set.of(partition));
    }

    /** Kafka Streams pauses partitions: its buffer is full, or their task is not running yet. */
    void pause(Collection<TopicPartition> wanted) {
        paused.addAll(wanted);
        partitions.pause(wanted);
    }

    /** Kafka Streams resumes partitions; those that are held stay paused. */
    void resume(Collection<TopicPartition> wanted) {
        paused.removeAll(wanted);
        List<TopicPartition> free =
                wanted.stream().filter(p -> !held.containsKey(p)).toList();
        if (!free.isEmpty()) partitions.resume(free);
    }

    @Override
    public void close() {
        count.accept(-held.size());
        held.clear();
    }
}

package io.linesight.streams.inspect;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.schemas.DeadLetterCode;
import io.linesight.schemas.registry.RegistryException;
import io.linesight.schemas.serde.BadRecordException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

/** Partitions wait for the schemas of their frames, one by one, and nothing that waits counts as consumed. */
class HeldPartitionsTest {

    private static final TopicPartition A = new TopicPartition("frames", 0);
    private static final TopicPartition B = new TopicPartition("frames", 1);
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    /** What the registry does about an id; ids that are not here it knows. */
    private final Map<Integer, RuntimeException> registry = new HashMap<>();

    private final List<Integer> asked = new ArrayList<>();
    private final AtomicLong nanos = new AtomicLong();
    private final AtomicInteger waiting = new AtomicInteger();
    private final FakeConsumer consumer = new FakeConsumer();
    private final SchemaInquiry inquiry = new SchemaInquiry(this::read, PATIENCE, nanos::get);
    /** The inquiry answers when the test lets it, so waiting for it would only take time. */
    private final HeldPartitions held = new HeldPartitions(inquiry, consumer, waiting::addAndGet, Duration.ZERO);

    private void read(ConsumerRecord<byte[], byte[]> record) {
        int id = ByteBuffer.wrap(record.value(), 1, 4).getInt();
        asked.add(id);
        RuntimeException fault = registry.get(id);
        if (fault != null) throw fault;
    }

    private static RuntimeException unknown() {
        return new BadRecordException(DeadLetterCode.UNKNOWN_SCHEMA, "unknown");
    }

    private static RuntimeException away() {
        return RegistryException.unreachable("away", new IOException("refused"));
    }

    private static ConsumerRecord<byte[], byte[]> record(TopicPartition partition, long offset, int schema) {
        byte[] value = ByteBuffer.allocate(6).put((byte) 0).putInt(schema).array();
        return new ConsumerRecord<>(partition.topic(), partition.partition(), offset, null, value);
    }

    private ConsumerRecords<byte[], byte[]> poll(List<ConsumerRecord<byte[], byte[]>> records) {
        held.release();
        Map<TopicPartition, List<ConsumerRecord<byte[], byte[]>>> by = new HashMap<>();
        Map<TopicPartition, OffsetAndMetadata> next = new HashMap<>();
        for (ConsumerRecord<byte[], byte[]> r : records) {
            TopicPartition partition = new TopicPartition(r.topic(), r.partition());
            if (consumer.paused.contains(partition)) continue;
            by.computeIfAbsent(partition, p -> new ArrayList<>()).add(r);
            next.put(partition, new OffsetAndMetadata(r.offset() + 1));
        }
        return held.admit(new ConsumerRecords<>(by, next));
    }

    private static List<Long> offsets(ConsumerRecords<byte[], byte[]> records, TopicPartition partition) {
        return records.records(partition).stream().map(ConsumerRecord::offset).toList();
    }

    @Test
    void shouldHandOnTheSameRecordsWhileAllSchemasAreKnown() {
        poll(List.of(record(A, 0, 7)));
        inquiry.askAll();
        held.release();
        ConsumerRecords<byte[], byte[]> polled = new ConsumerRecords<>(
                Map.of(A, List.of(record(A, 0, 7), record(A, 1, 7))), Map.of(A, new OffsetAndMetadata(2)));

        assertThat(held.admit(polled)).isSameAs(polled);
        assertThat(asked).as("the registry is asked once").containsExactly(7);
    }

    @Test
    void shouldHoldAPartitionFromItsFirstUnreadableRecordOnWhileOthersFlow() {
        registry.put(9, away());
        poll(List.of(record(A, 0, 7)));
        inquiry.askAll();

        ConsumerRecords<byte[], byte[]> admitted =
                poll(List.of(record(A, 0, 7), record(A, 1, 9), record(A, 2, 7), record(B, 5, 7), record(B, 6, 7)));

        assertThat(offsets(admitted, A)).containsExactly(0L);
        assertThat(offsets(admitted, B)).containsExactly(5L, 6L);
        assertThat(admitted.nextOffsets().get(A).offset())
                .as("what is committed")
                .isEqualTo(1);
        assertThat(admitted.nextOffsets().get(B).offset()).isEqualTo(7);
        assertThat(consumer.positions).containsEntry(A, 1L).doesNotContainKey(B);
        assertThat(consumer.paused).containsExactly(A);
        assertThat(waiting).hasValue(1);
    }

    @Test
    void shouldWaitThroughAnOutageForAnyTimeAndGoOnWhereItStopped() {
        registry.put(9, away());
        poll(List.of(record(A, 3, 9)));
        for (int i = 0; i < 1000; i++) {
            nanos.addAndGet(Duration.ofMinutes(1).toNanos());
            inquiry.askAll();
            assertThat(poll(List.of(record(A, 3, 9))).count()).isZero();
        }
        assertThat(inquiry.trouble()).contains("away");

        registry.clear();
        inquiry.askAll();

        assertThat(offsets(poll(List.of(record(A, 3, 9))), A)).containsExactly(3L);
        assertThat(inquiry.trouble()).isEmpty();
        assertThat(waiting).hasValue(0);
    }

    @Test
    void shouldAskAgainForAnUnknownSchemaBeforeItsFramesGoOn() {
        registry.put(9, unknown());
        poll(List.of(record(A, 3, 9)));
        inquiry.askAll();
        nanos.addAndGet(Duration.ofSeconds(2).toNanos());
        inquiry.askAll();
        assertThat(poll(List.of(record(A, 3, 9))).count()).isZero();

        registry.clear(); // the replica has caught up
        inquiry.askAll();

        assertThat(offsets(poll(List.of(record(A, 3, 9))), A)).containsExactly(3L);
        assertThat(inquiry.isUnknown(9)).isFalse();
    }

    @Test
    void shouldLetFramesOfASchemaGoThatStaysUnknownAndTakeItUpWhenItIsRegistered() {
        registry.put(9, unknown());
        waitInVain(9);

        assertThat(offsets(poll(List.of(record(A, 3, 9), record(A, 4, 9))), A)).containsExactly(3L, 4L);
        assertThat(inquiry.isUnknown(9)).isTrue();

        registry.put(9, away());
        nanos.addAndGet(Duration.ofSeconds(5).toNanos());
        assertThat(poll(List.of(record(A, 5, 9))).count())
                .as("held no second time")
                .isEqualTo(1);
        inquiry.askAll();
        assertThat(inquiry.isUnknown(9)).as("an outage tells nothing new").isTrue();

        registry.clear();
        nanos.addAndGet(Duration.ofSeconds(5).toNanos());
        poll(List.of(record(A, 6, 9)));
        inquiry.askAll();
        assertThat(inquiry.isUnknown(9)).isFalse();
    }

    private void waitInVain(int schema) {
        poll(List.of(record(A, 3, schema)));
        inquiry.askAll();
        nanos.addAndGet(PATIENCE.toNanos());
        inquiry.askAll();
    }

    @Test
    void shouldNotWaitForEveryOneOfManyUnknownSchemas() {
        for (int id = 100; id < 400; id++) registry.put(id, unknown());
        for (int id = 100; id < 103; id++) waitInVain(id);

        long before = nanos.get();
        for (int id = 103; id < 400; id++) {
            poll(List.of(record(A, id, id)));
            inquiry.askAll();
            assertThat(poll(List.of(record(A, id, id))).count()).isEqualTo(1);
        }
        assertThat(nanos).hasValue(before);
    }

    @Test
    void shouldCountTheWaitForAnUnknownSchemaAnewAfterAnOutage() {
        registry.put(9, unknown());
        poll(List.of(record(A, 3, 9)));
        inquiry.askAll();
        registry.put(9, away());
        nanos.addAndGet(Duration.ofHours(1).toNanos());
        inquiry.askAll();
        registry.put(9, unknown());

        inquiry.askAll();

        assertThat(inquiry.isSettled(9)).isFalse();
    }

    @Test
    void shouldPassWhatNeedsNoRegistry() {
        registry.put(9, away());
        ConsumerRecord<byte[], byte[]> tombstone = new ConsumerRecord<>("frames", 0, 0, null, null);
        ConsumerRecord<byte[], byte[]> empty = new ConsumerRecord<>("frames", 0, 1, null, new byte[0]);
        ConsumerRecord<byte[], byte[]> jpeg =
                new ConsumerRecord<>("frames", 0, 2, null, new byte[] {(byte) 0xff, (byte) 0xd8, 1, 1, 1, 1});

        assertThat(poll(List.of(tombstone, empty, jpeg)).count()).isEqualTo(3);
        assertThat(asked).isEmpty();
    }

    @Test
    void shouldLeaveAPartitionPausedThatKafkaStreamsHasPaused() {
        registry.put(9, away());
        poll(List.of(record(A, 3, 9)));
        held.resume(List.of(A, B));
        assertThat(consumer.paused).as("held, though Kafka Streams would go on").containsExactly(A);
        held.pause(List.of(A));
        registry.clear();
        inquiry.askAll();

        held.release();
        assertThat(consumer.paused).containsExactly(A);
        held.resume(List.of(A));
        assertThat(consumer.paused).isEmpty();
    }

    @Test
    void shouldForgetPartitionsThatAreTakenAway() {
        registry.put(9, away());
        poll(List.of(record(A, 3, 9)));
        consumer.assigned.remove(A);

        held.release();

        assertThat(waiting).hasValue(0);
    }

    private static final class FakeConsumer implements HeldPartitions.Partitions {
        final Set<TopicPartition> assigned = new HashSet<>(Set.of(A, B));
        final Set<TopicPartition> paused = new HashSet<>();
        final Map<TopicPartition, Long> positions = new HashMap<>();

        @Override
        public Set<TopicPartition> assignment() {
            return assigned;
        }

        @Override
        public void seek(TopicPartition partition, OffsetAndMetadata to) {
            positions.put(partition, to.offset());
        }

        @Override
        public void pause(Collection<TopicPartition> partitions) {
            paused.addAll(partitions);
        }

        @Override
        public void resume(Collection<TopicPartition> partitions) {
            assertThat(assigned).containsAll(partitions);
            paused.removeAll(partitions);
        }
    }
}

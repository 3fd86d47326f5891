package io.linesight.schemas.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.WakeupException;
import org.junit.jupiter.api.Test;

class TopicCursorTest {
    private final FakeTopic topic = new FakeTopic(2);

    @Test
    void shouldReadFromBeginning() {
        topic.holds(0, 5, 7);
        TopicCursor cursor = TopicCursor.atBeginning(topic.consumer, List.of(FakeTopic.NAME));
        topic.sendsOnPoll(0, 5, 6);
        assertThat(offsets(cursor)).containsExactly(5L, 6L);
    }

    @Test
    void shouldLeaveOutWhatWasThereBeforeWhenOpenedAtEnd() {
        topic.holds(0, 0, 2);
        TopicCursor cursor = TopicCursor.atEnd(topic.consumer, List.of(FakeTopic.NAME));
        topic.sendsOnPoll(0, 0, 1, 2);
        assertThat(offsets(cursor)).containsExactly(2L);
    }

    @Test
    void shouldReadAddedPartitionFromItsBeginning() {
        topic.holds(0, 0, 2);
        TopicCursor cursor = TopicCursor.atEnd(topic.consumer, List.of(FakeTopic.NAME));
        topic.grow(3);
        topic.holds(2, 0, 1);
        topic.sendsOnPoll(2, 0);
        assertThat(offsets(cursor)).containsExactly(0L);
        assertThat(topic.consumer.position(FakeTopic.partition(0)))
                .as("partitions followed before keep their place")
                .isEqualTo(2);
    }

    @Test
    void shouldKeepReadingWhileTopicHasNoPartitionsForMoment() {
        TopicCursor cursor = TopicCursor.atBeginning(topic.consumer, List.of(FakeTopic.NAME));
        topic.consumer.updatePartitions(FakeTopic.NAME, List.of());
        topic.sendsOnPoll(1, 0);
        assertThat(offsets(cursor)).containsExactly(0L);
    }

    @Test
    void shouldRejectTopicThatDoesNotExist() {
        assertThatThrownBy(() -> TopicCursor.atBeginning(topic.consumer, List.of("other")))
                .isInstanceOf(KafkaException.class)
                .hasMessageContaining("there is no topic other");
        assertThat(topic.consumer.closed()).isTrue();
    }

    @Test
    void shouldRejectSecondTopicThatDoesNotExist() {
        assertThatThrownBy(() -> TopicCursor.atBeginning(topic.consumer, List.of(FakeTopic.NAME, "missing")))
                .isInstanceOf(KafkaException.class)
                .hasMessageContaining("there is no topic missing");
    }

    @Test
    void shouldEndPollOnWakeup() {
        TopicCursor cursor = TopicCursor.atBeginning(topic.consumer, List.of(FakeTopic.NAME));
        cursor.wakeup();
        assertThatThrownBy(() -> cursor.poll(Duration.ofDays(1))).isInstanceOf(WakeupException.class);
    }

    private static List<Long> offsets(TopicCursor cursor) {
        List<Long> offsets = new ArrayList<>();
        for (ConsumerRecord<byte[], byte[]> record : cursor.poll(Duration.ZERO)) offsets.add(record.offset());
        return offsets;
    }
}

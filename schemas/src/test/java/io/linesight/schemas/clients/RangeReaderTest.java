package io.linesight.schemas.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.linesight.schemas.clients.RangeReader.Range;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.KafkaException;
import org.junit.jupiter.api.Test;

class RangeReaderTest {
    private final FakeTopic topic = new FakeTopic(2);
    private final AtomicLong nanos = new AtomicLong();
    private final RangeReader reader = new RangeReader(
            topic.consumer,
            Duration.ofSeconds(5),
            () -> nanos.getAndAdd(Duration.ofSeconds(1).toNanos()));
    private final List<String> visited = new ArrayList<>();

    @Test
    void shouldReadWhatTopicHoldsNow() {
        topic.holds(0, 3, 5);
        topic.holds(1, 0, 0);
        assertThat(reader.ranges(List.of(FakeTopic.NAME)))
                .isEqualTo(Map.of(FakeTopic.partition(0), new Range(3, 5), FakeTopic.partition(1), new Range(0, 0)));
        topic.sendsOnPoll(0, 3);
        topic.sendsOnPoll(0, 4);
        assertThat(read(reader.ranges(List.of(FakeTopic.NAME)))).isEqualTo(2);
        assertThat(visited).containsExactly("3", "4");
    }

    @Test
    void shouldLeaveOutWhatLiesBehindRange() {
        topic.holds(0, 0, 9);
        topic.sendsOnPoll(0, 1, 2, 3);
        assertThat(read(Map.of(FakeTopic.partition(0), new Range(1, 3)))).isEqualTo(2);
        assertThat(visited).containsExactly("1", "2");
    }

    @Test
    void shouldEndEarlyWhenVisitorHasEnough() {
        topic.holds(0, 0, 9);
        topic.sendsOnPoll(0, 0, 1, 2);
        long count = reader.read(Map.of(FakeTopic.partition(0), new Range(0, 9)), record -> record.offset() < 1);
        assertThat(count).isEqualTo(2);
    }

    @Test
    void shouldPassOnCheckedExceptionOfVisitor() {
        topic.holds(0, 0, 1);
        topic.sendsOnPoll(0, 0);
        assertThatThrownBy(() -> reader.read(Map.of(FakeTopic.partition(0), new Range(0, 1)), record -> {
                    throw new IOException("disk");
                }))
                .isInstanceOf(IOException.class);
    }

    @Test
    void shouldFailWhenNothingMovesForTimeout() {
        topic.holds(0, 0, 9);
        topic.sendsOnPoll(0, 0);
        assertThatThrownBy(() -> read(Map.of(FakeTopic.partition(0), new Range(0, 9))))
                .isInstanceOf(RangeReader.StalledException.class)
                .hasMessageContaining("topic-0")
                .hasMessageContaining("5 s");
        assertThat(visited).containsExactly("0");
    }

    @Test
    void shouldRejectTopicThatDoesNotExist() {
        assertThatThrownBy(() -> reader.ranges(List.of("other")))
                .isInstanceOf(KafkaException.class)
                .hasMessage("there is no topic other");
    }

    private long read(Map<org.apache.kafka.common.TopicPartition, Range> ranges) {
        return reader.read(
                ranges, record -> visited.add(new String(record.value(), java.nio.charset.StandardCharsets.UTF_8)));
    }
}

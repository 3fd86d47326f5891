package io.linesight.schemas.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.linesight.schemas.FrameRef;
import io.linesight.schemas.clients.RecordLookup.Absent;
import io.linesight.schemas.clients.RecordLookup.Expired;
import io.linesight.schemas.clients.RecordLookup.Found;
import io.linesight.schemas.clients.RecordLookup.NoSuchPlace;
import io.linesight.schemas.clients.RecordLookup.NotYet;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.Test;

class RecordFetcherTest {
    private final FakeTopic topic = new FakeTopic(2);
    private final RecordFetcher fetcher = new RecordFetcher(topic.consumer, Duration.ofSeconds(30));

    @Test
    void shouldFindRecordsOfPartitionInOrderOfOffsets() {
        topic.holds(0, 0, 9);
        topic.sendsOnPoll(0, 3, 4, 5);
        Map<FrameRef, RecordLookup> found = fetch(5, 3);
        assertThat(found.keySet()).extracting(FrameRef::getOffset).containsExactly(3L, 5L);
        assertThat(found.values()).allMatch(l -> l instanceof Found);
    }

    @Test
    void shouldTellExpiredFromNotYetWritten() {
        topic.holds(0, 2, 4);
        Map<FrameRef, RecordLookup> found = fetch(1, 4);
        assertThat(found.values()).containsExactly(new Expired(2), new NotYet(4));
    }

    @Test
    void shouldSayAbsentWhereLogHasGap() {
        topic.holds(0, 0, 9);
        topic.sendsOnPoll(0, 2, 5);
        assertThat(fetch(2, 3).values()).element(1).isEqualTo(new Absent());
    }

    @Test
    void shouldSayExpiredWhenRetentionIsFaster() {
        topic.holds(0, 0, 9);
        topic.consumer.schedulePollTask(() -> {
            topic.holds(0, 7, 9);
            throw new OffsetOutOfRangeException(Map.of(FakeTopic.partition(0), 3L));
        });
        topic.sendsOnPoll(0, 8);
        assertThat(fetch(3, 8).values()).element(0).isEqualTo(new Expired(7));
    }

    @Test
    void shouldRejectPlaceThatTopicCannotHave() {
        Map<FrameRef, RecordLookup> found = new LinkedHashMap<>();
        fetcher.fetch(
                List.of(
                        new FrameRef(FakeTopic.NAME, 2, 0L),
                        new FrameRef(FakeTopic.NAME, -1, 0L),
                        new FrameRef(FakeTopic.NAME, 0, -1L),
                        new FrameRef("other", 0, 0L)),
                found::put);
        assertThat(found.values())
                .containsExactly(new NoSuchPlace(2), new NoSuchPlace(2), new NoSuchPlace(2), new NoSuchPlace(0));
    }

    @Test
    void shouldFailWhenBrokerDoesNotSendWhatItHas() {
        topic.holds(0, 0, 9);
        try (RecordFetcher impatient = new RecordFetcher(topic.consumer, Duration.ofNanos(-1))) {
            assertThatThrownBy(
                            () -> impatient.fetch(List.of(new FrameRef(FakeTopic.NAME, 0, 3L)), (place, lookup) -> {}))
                    .isInstanceOf(TimeoutException.class)
                    .hasMessageContaining("topic-0 at offset 3");
        }
    }

    private Map<FrameRef, RecordLookup> fetch(long... offsets) {
        Map<FrameRef, RecordLookup> found = new LinkedHashMap<>();
        fetcher.fetch(
                LongStream.of(offsets)
                        .mapToObj(o -> new FrameRef(FakeTopic.NAME, 0, o))
                        .toList(),
                found::put);
        return found;
    }
}

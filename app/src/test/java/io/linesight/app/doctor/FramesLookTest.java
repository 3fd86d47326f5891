package io.linesight.app.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.schemas.clients.RangeReader.Range;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;

class FramesLookTest {
    private static final TopicPartition ZERO = new TopicPartition("frames", 0);
    private static final TopicPartition ONE = new TopicPartition("frames", 1);
    private static final Uuid NOW = new Uuid(1, 1);
    private static final Uuid BEFORE = new Uuid(2, 2);

    @Test
    void shouldFindATopicThatWasMadeAgain() {
        assertThat(FramesLook.isRecreated(NOW, Set.of(BEFORE))).isTrue();
        assertThat(FramesLook.isRecreated(NOW, Set.of())).isFalse();
        assertThat(FramesLook.isRecreated(NOW, Set.of(NOW))).isFalse();
        assertThat(FramesLook.isRecreated(NOW, Set.of(NOW, BEFORE))).isFalse();
    }

    @Test
    void shouldFindOffsetsThatDoNotFitTheTopic() {
        Map<TopicPartition, Range> frames = Map.of(ZERO, new Range(10, 20), ONE, new Range(0, 0));
        assertThat(FramesLook.wrongOffsets(frames, Map.of(ZERO, 10L, ONE, 0L), true))
                .isNull();
        assertThat(FramesLook.wrongOffsets(frames, Map.of(ZERO, 20L), true)).isNull();
        assertThat(FramesLook.wrongOffsets(frames, Map.of(), false)).isNull();
        assertThat(FramesLook.wrongOffsets(frames, Map.of(), true)).isEqualTo("partition 0 has none");
        assertThat(FramesLook.wrongOffsets(frames, Map.of(ZERO, 5L, ONE, 3L), true))
                .isEqualTo("partition 0 is at 5, and its oldest frame at 10; partition 1 is at 3, and its end at 0");
    }
}

package io.linesight.streams.offsets;

import io.linesight.schemas.FrameRef;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/** The newest answered frame of every partition, by the topic that the answers name. One thread. */
final class AnsweredFrames {
    private final String topic;
    private final Uuid topicId;
    private final Map<Integer, Long> newest = new HashMap<>();
    private boolean named;
    private boolean namedOther;

    /** @param topicId id of the topic of frames now */
    AnsweredFrames(String topic, Uuid topicId) {
        this.topic = topic;
        this.topicId = topicId;
    }

    /** @param id that the answer names; null in answers of older versions, which tell nothing */
    void add(@Nullable FrameRef source, @Nullable Uuid id) {
        if (source == null || id == null || !source.getTopic().equals(topic)) return;
        if (!id.equals(topicId)) {
            namedOther = true;
            return;
        }
        named = true;
        newest.merge(source.getPartition(), source.getOffset(), Math::max);
    }

    /** Whether an answer names the topic of frames as it is now. */
    boolean isNamed() {
        return named;
    }

    OffsetRule.Topic topic() {
        return namedOther && !named ? OffsetRule.Topic.RECREATED : OffsetRule.Topic.SAME;
    }

    /** Offset of the newest frame that has an answer; null when none was found. */
    @Nullable
    Long newest(int partition) {
        return newest.get(partition);
    }
}

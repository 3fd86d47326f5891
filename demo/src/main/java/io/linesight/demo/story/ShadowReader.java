package io.linesight.demo.story;

import io.linesight.schemas.ShadowDifference;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.clients.TopicCursor;
import io.linesight.schemas.clients.TopicFollower;
import io.linesight.schemas.serde.AvroSerde;
import io.linesight.schemas.topics.Topics;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/** Collects what champion and challenger say of the same frames, from the beginning of the topic. */
final class ShadowReader implements AutoCloseable {
    private final AvroSerde<ShadowDifference> serde;
    private final List<ShadowDifference> seen = new ArrayList<>();
    private final TopicFollower follower;

    ShadowReader(Map<String, String> settings, Topics topics) {
        serde = AvroSerde.of(ShadowDifference.class, settings, false);
        follower = TopicFollower.start(
                "linesight-shadow-reader",
                TopicCursor.atBeginning(
                        ClientSettings.forReader(settings),
                        List.of(topics.shadow().name())),
                this::collect);
    }

    /** About one challenger. */
    List<ShadowDifference> of(String challenger) {
        synchronized (seen) {
            return seen.stream()
                    .filter(d -> d.getChallenger().equals(challenger))
                    .toList();
        }
    }

    /** What ended the reading before it was closed. */
    @Nullable
    Throwable failure() {
        return follower.failure().orElse(null);
    }

    private void collect(ConsumerRecord<byte[], byte[]> record) {
        ShadowDifference difference = serde.deserializer().deserialize(record.topic(), record.value());
        synchronized (seen) {
            seen.add(difference);
        }
    }

    @Override
    public void close() {
        follower.close();
        serde.close();
    }
}

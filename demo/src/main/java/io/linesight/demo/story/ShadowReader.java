package io.linesight.demo.story;

import io.linesight.mmad.checkpoint.VerdictRule;
import io.linesight.schemas.ShadowDifference;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.clients.TopicCursor;
import io.linesight.schemas.clients.TopicFollower;
import io.linesight.schemas.serde.RecordDecoder;
import io.linesight.schemas.topics.Topics;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** Reads from the beginning how both models scored the same frames. A thread of its own until closed. */
final class ShadowReader implements AutoCloseable {
    private final RecordDecoder<ShadowDifference> decoder;
    private final List<ShadowDifference> differences = new CopyOnWriteArrayList<>();
    private final TopicFollower follower;
    private volatile boolean closed;

    /**
     * Frames that both models have scored.
     *
     * @param champion frames that the champion called anomalous
     * @param challenger frames that the challenger called anomalous
     */
    record Comparison(int frames, long champion, long challenger) {}

    ShadowReader(Map<String, String> settings, Topics topics) {
        decoder = RecordDecoder.of(ShadowDifference.class, settings);
        List<String> names = List.of(topics.shadow().name());
        follower = TopicFollower.start(
                "linesight-shadow-reader",
                TopicCursor.atBeginning(ClientSettings.forReader(settings), names),
                this::add);
    }

    private void add(ConsumerRecord<byte[], byte[]> record) {
        ShadowDifference difference = decoder.awaitRegistry(record, () -> closed);
        if (difference != null) differences.add(difference);
    }

    /** Compares one challenger with the champion, on some cameras. Any thread. */
    Comparison compare(String challenger, Predicate<String> cameras) {
        List<ShadowDifference> chosen = differences.stream()
                .filter(d -> d.getChallenger().equals(challenger) && cameras.test(d.getCameraId()))
                .toList();
        return new Comparison(
                chosen.size(),
                chosen.stream()
                        .filter(d -> d.getChampionScore() >= VerdictRule.DECISION_POINT)
                        .count(),
                // A score that is missing counts against the challenger.
                chosen.stream()
                        .filter(d -> !(d.getChallengerScore() < VerdictRule.DECISION_POINT))
                        .count());
    }

    Optional<Throwable> failure() {
        return follower.failure();
    }

    @Override
    public void close() {
        closed = true;
        follower.close();
        decoder.close();
    }
}

package io.linesight.app.cli;

import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.Verdict;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.clients.RangeReader;
import io.linesight.schemas.clients.TopicIds;
import io.linesight.schemas.serde.RecordDecoder;
import io.linesight.schemas.topics.AnswerHeaders;
import io.linesight.schemas.topics.Topics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.SerializationException;

/** Finds the newest results that a person should check. */
final class LatestResults {
    /** Results that are read per partition. */
    private static final long WINDOW = 5_000;

    private static final Duration STALL_TIMEOUT = Duration.ofSeconds(30);

    private LatestResults() {}

    /** The frame of such a result is gone, and another may lie at its place. */
    private static boolean isOfEarlierTopic(ConsumerRecord<byte[], byte[]> result, Optional<Uuid> frames) {
        Optional<Uuid> id = AnswerHeaders.topicId(result.headers());
        return id.isPresent() && frames.isPresent() && !id.equals(frames);
    }

    /** At most {@code max} FAIL and REVIEW results, newest first. */
    static List<InspectionResult> doubtful(Map<String, String> settings, Topics topics, int max) {
        String topic = topics.results().name();
        List<InspectionResult> found = new ArrayList<>();
        Optional<Uuid> frames = TopicIds.current(settings, topics.frames().name());
        try (RecordDecoder<InspectionResult> decoder = RecordDecoder.of(InspectionResult.class, settings);
                KafkaConsumer<byte[], byte[]> consumer =
                        ClientSettings.openConsumer(ClientSettings.forReader(settings))) {
            RangeReader reader = new RangeReader(consumer, STALL_TIMEOUT);
            Map<TopicPartition, RangeReader.Range> ranges = reader.ranges(List.of(topic));
            ranges.replaceAll((p, r) -> new RangeReader.Range(Math.max(r.from(), r.until() - WINDOW), r.until()));
            reader.read(ranges, record -> {
                if (isOfEarlierTopic(record, frames)) return true;
                try {
                    InspectionResult result = decoder.await(record);
                    if (result != null
                            && (result.getVerdict() == Verdict.FAIL || result.getVerdict() == Verdict.REVIEW))
                        found.add(result);
                } catch (SerializationException e) {
                    // Not a result.
                }
                return true;
            });
        }
        return found.stream()
                .sorted(Comparator.comparing(InspectionResult::getScoredAt).reversed())
                .limit(max)
                .toList();
    }
}

package io.linesight.app.cli;

import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.Verdict;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.serde.AvroSerde;
import io.linesight.schemas.topics.Topics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.SerializationException;

/** The youngest results that a person should look at. */
final class LatestResults {
    /** Results per partition that are looked through. */
    private static final long WINDOW = 5_000;

    private LatestResults() {}

    /** At most this many FAIL and REVIEW results, the youngest first. */
    static List<InspectionResult> doubtful(Map<String, String> settings, Topics topics, int most) {
        String topic = topics.results().name();
        List<InspectionResult> found = new ArrayList<>();
        try (AvroSerde<InspectionResult> serde = AvroSerde.of(InspectionResult.class, settings, false);
                KafkaConsumer<byte[], byte[]> consumer =
                        ClientSettings.openConsumer(ClientSettings.forReader(settings))) {
            List<TopicPartition> partitions = consumer.partitionsFor(topic).stream()
                    .map(p -> new TopicPartition(topic, p.partition()))
                    .toList();
            consumer.assign(partitions);
            Map<TopicPartition, Long> begin = consumer.beginningOffsets(partitions);
            Map<TopicPartition, Long> end = consumer.endOffsets(partitions);
            partitions.forEach(p -> consumer.seek(p, Math.max(begin.get(p), end.get(p) - WINDOW)));
            while (partitions.stream().anyMatch(p -> consumer.position(p) < end.get(p))) {
                for (ConsumerRecord<byte[], byte[]> r : consumer.poll(Duration.ofMillis(200))) {
                    try {
                        InspectionResult result = serde.deserializer().deserialize(topic, r.value());
                        if (result != null
                                && (result.getVerdict() == Verdict.FAIL || result.getVerdict() == Verdict.REVIEW))
                            found.add(result);
                    } catch (SerializationException e) {
                        continue;
                    }
                }
            }
        }
        return found.stream()
                .sorted(Comparator.comparing(InspectionResult::getScoredAt).reversed())
                .limit(most)
                .toList();
    }
}

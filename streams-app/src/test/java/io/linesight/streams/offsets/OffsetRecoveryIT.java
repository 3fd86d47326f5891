package io.linesight.streams.offsets;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.embedded.SharedPlatform;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.StageTimings;
import io.linesight.schemas.Verdict;
import io.linesight.schemas.serde.AvroSerde;
import io.linesight.schemas.topics.AnswerHeaders;
import io.linesight.schemas.topics.TopicAdmin;
import io.linesight.streams.config.InspectionConfig;
import io.linesight.streams.monitoring.InspectionMetrics;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.Timeout;

/** The group's offsets on a real broker, with answers written by hand. */
@Timeout(300)
class OffsetRecoveryIT {
    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private InspectionConfig config;
    private Admin admin;
    private KafkaProducer<byte[], byte[]> producer;
    private AvroSerde<InspectionResult> results;

    @BeforeEach
    void topics(TestInfo test) {
        String name = test.getTestMethod().orElseThrow().getName();
        config = InspectionConfig.of(Map.of(
                "bootstrap.servers",
                SharedPlatform.kafka().bootstrapServers(),
                "schema.registry.url",
                SharedPlatform.registry().url(),
                "application.id",
                name,
                "linesight.topics.prefix",
                name,
                "linesight.topics.partitions",
                "2"));
        Map<String, Object> kafka =
                Map.of("bootstrap.servers", SharedPlatform.kafka().bootstrapServers());
        admin = Admin.create(kafka);
        TopicAdmin.ensure(admin, config.topics().all());
        producer = new KafkaProducer<>(kafka, new ByteArraySerializer(), new ByteArraySerializer());
        results = AvroSerde.of(InspectionResult.class, config.serdes(), false);
    }

    @AfterEach
    void close() {
        producer.close();
        results.close();
        admin.close();
    }

    private String frames() {
        return config.topics().frames().name();
    }

    private void frames(int partition, int count) throws Exception {
        for (int i = 0; i < count; i++)
            producer.send(new ProducerRecord<>(frames(), partition, null, new byte[] {1}))
                    .get();
    }

    private Uuid topicId() throws Exception {
        try (FramesTopic topic = new FramesTopic(config)) {
            return topic.id().orElseThrow();
        }
    }

    private void results(int partition, long from, long until, Uuid topicId) throws Exception {
        Instant now = Instant.now().truncatedTo(ChronoUnit.MICROS);
        for (long offset = from; offset < until; offset++) {
            InspectionResult result = InspectionResult.newBuilder()
                    .setResultId("")
                    .setFrameRef(new FrameRef(frames(), partition, offset))
                    .setFrameId("f")
                    .setCameraId("c")
                    .setScore(0)
                    .setRawScore(0)
                    .setThreshold(1)
                    .setVerdict(Verdict.PASS)
                    .setModelVersion("v")
                    .setCapturedAt(now)
                    .setScoredAt(now)
                    .setTimings(StageTimings.newBuilder().build())
                    .setRegions(List.of())
                    .build();
            String topic = config.topics().results().name();
            ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(
                    topic, partition, null, results.serializer().serialize(topic, result));
            AnswerHeaders.write(record.headers(), topicId, null);
            producer.send(record).get();
        }
    }

    private void commit(int partition, long offset) throws Exception {
        admin.alterConsumerGroupOffsets(
                        config.applicationId(),
                        Map.of(new TopicPartition(frames(), partition), new OffsetAndMetadata(offset)))
                .all()
                .get();
    }

    private Map<TopicPartition, OffsetAndMetadata> recover() throws Exception {
        new OffsetRecovery(config, new InspectionMetrics(meters), () -> false).run(topicId(), false);
        return admin.listConsumerGroupOffsets(config.applicationId())
                .partitionsToOffsetAndMetadata()
                .get();
    }

    private double restored() {
        return meters.counter(InspectionMetrics.OFFSETS_RESTORED).count();
    }

    @Test
    void shouldContinueBehindTheLastAnswerWhenTheOffsetsHaveExpired() throws Exception {
        frames(0, 6);
        frames(1, 4);
        results(0, 0, 3, topicId());
        // A quiet camera, whose last answer lies before those of a busy one.
        results(1, 0, 2, topicId());
        results(0, 3, 5, topicId());
        assertThat(recover())
                .containsEntry(new TopicPartition(frames(), 0), new OffsetAndMetadata(5))
                .containsEntry(new TopicPartition(frames(), 1), new OffsetAndMetadata(2));
        assertThat(restored()).isEqualTo(2);
        recover();
        assertThat(restored()).as("set once").isEqualTo(2);
    }

    @Test
    void shouldLeaveAFirstStartAlone() throws Exception {
        frames(0, 6);
        assertThat(recover()).isEmpty();
        assertThat(restored()).isZero();
    }

    @Test
    void shouldContinueWithTheOldestFrameWhenRetentionWasFaster() throws Exception {
        frames(0, 6);
        commit(0, 1);
        admin.deleteRecords(Map.of(new TopicPartition(frames(), 0), RecordsToDelete.beforeOffset(4)))
                .all()
                .get();
        assertThat(recover()).containsEntry(new TopicPartition(frames(), 0), new OffsetAndMetadata(4));
    }

    @Test
    void shouldBeginATopicThatWasMadeAgainAtItsBeginning() throws Exception {
        frames(0, 6);
        Uuid before = topicId();
        results(0, 0, 6, before);
        admin.deleteTopics(List.of(frames())).all().get();
        Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> {
            try (FramesTopic topic = new FramesTopic(config)) {
                return topic.look() instanceof FramesTopic.Seen.Gone;
            }
        });
        TopicAdmin.ensure(admin, List.of(config.topics().frames()));
        frames(0, 8);
        // What a stream thread that did not notice has committed of the new topic.
        commit(0, 7);
        assertThat(topicId()).isNotEqualTo(before);
        assertThat(recover()).containsEntry(new TopicPartition(frames(), 0), new OffsetAndMetadata(0));
        assertThat(meters.counter(InspectionMetrics.FRAMES_TOPIC_RECREATED).count())
                .isEqualTo(1);
    }
}

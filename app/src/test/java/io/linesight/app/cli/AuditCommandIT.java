package io.linesight.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.linesight.embedded.EmbeddedKafka;
import io.linesight.embedded.EmbeddedRegistry;
import io.linesight.embedded.SharedPlatform;
import io.linesight.schemas.AnomalyEvent;
import io.linesight.schemas.DeadLetterCode;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.StageTimings;
import io.linesight.schemas.Verdict;
import io.linesight.schemas.serde.AvroSerde;
import io.linesight.schemas.topics.DeadLetterHeaders;
import io.linesight.schemas.topics.TopicAdmin;
import io.linesight.schemas.topics.TopicSpec;
import io.linesight.schemas.topics.Topics;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** What {@code audit} says of topics with every mistake that it is there to find, each planted by hand. */
@Timeout(600)
class AuditCommandIT {
    private static final Topics TOPICS =
            Topics.of("audited", 2, TopicSpec.BROKER_DEFAULT, Topics.defaults().limits());

    @TempDir
    private Path dir;

    private KafkaProducer<byte[], byte[]> producer;
    private AvroSerde<InspectionResult> results;
    private AvroSerde<AnomalyEvent> events;
    private String out;
    private String err;

    private int audit(EmbeddedKafka kafka, EmbeddedRegistry registry, String... more) {
        StringWriter o = new StringWriter();
        StringWriter e = new StringWriter();
        CommandLine line = Linesight.commandLine();
        line.setOut(new PrintWriter(o, true));
        line.setErr(new PrintWriter(e, true));
        java.util.ArrayList<String> args = new java.util.ArrayList<>(List.of(
                "audit",
                "-b",
                kafka.bootstrapServers(),
                "-r",
                registry.url(),
                "--set",
                "linesight.topics.prefix=audited"));
        args.addAll(List.of(more));
        int code = line.execute(args.toArray(new String[0]));
        out = o.toString();
        err = e.toString();
        return code;
    }

    private void send(TopicSpec topic, int partition, String key, byte[] value) throws Exception {
        producer.send(new ProducerRecord<>(topic.name(), partition, key == null ? null : key.getBytes(), value))
                .get();
    }

    private InspectionResult of(String camera, int partition, long offset) {
        Instant now = Instant.now().truncatedTo(ChronoUnit.MICROS);
        return InspectionResult.newBuilder()
                .setResultId(TOPICS.frames().name() + "-" + partition + "-" + offset)
                .setFrameRef(new FrameRef(TOPICS.frames().name(), partition, offset))
                .setFrameId(camera + offset)
                .setCameraId(camera)
                .setScore(0.1f)
                .setRawScore(1)
                .setThreshold(2)
                .setVerdict(Verdict.PASS)
                .setModelVersion("v1")
                .setCapturedAt(now)
                .setScoredAt(now)
                .setTimings(StageTimings.newBuilder().build())
                .setRegions(List.of())
                .build();
    }

    private void result(String camera, int partition, long offset) throws Exception {
        send(
                TOPICS.results(),
                partition,
                camera,
                results.serializer().serialize(TOPICS.results().name(), of(camera, partition, offset)));
    }

    private void event(String camera, int partition, long offset) throws Exception {
        AnomalyEvent event = AnomalyEvent.newBuilder()
                .setResult(of(camera, partition, offset))
                .setMapPng(ByteBuffer.wrap(new byte[] {1}))
                .setMapLow(0)
                .setMapHigh(1)
                .build();
        send(
                TOPICS.anomalies(),
                partition,
                camera,
                events.serializer().serialize(TOPICS.anomalies().name(), event));
    }

    private void deadLetter(int partition, long offset) throws Exception {
        ProducerRecord<byte[], byte[]> letter =
                new ProducerRecord<>(TOPICS.deadLetter().name(), partition, null, new byte[] {7});
        DeadLetterHeaders.write(
                letter.headers(),
                DeadLetterCode.CORRUPT_IMAGE,
                "cut short",
                TOPICS.frames().name(),
                partition,
                offset);
        producer.send(letter).get();
    }

    private String row(String camera) {
        return out.lines()
                .filter(l -> l.startsWith(camera))
                .findFirst()
                .orElse("")
                .trim()
                .replaceAll(" +", " ");
    }

    @Test
    void shouldFindWhatIsLostDoubledAndOutOfOrderAndNothingElse() throws Exception {
        EmbeddedKafka kafka = SharedPlatform.kafka();
        EmbeddedRegistry registry = SharedPlatform.registry();
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()))) {
            assertThat(audit(kafka, registry)).isEqualTo(1);
            assertThat(err)
                    .startsWith("linesight: ")
                    .contains("audited.frames.v1")
                    .doesNotContain("\tat ");
            TopicAdmin.ensure(admin, TOPICS.all());
            assertThat(audit(kafka, registry)).isZero();
            assertThat(out).contains("There are no frames to look at");
            Map<String, String> registrySettings = Map.of("schema.registry.url", registry.url());
            results = AvroSerde.of(InspectionResult.class, registrySettings, false);
            events = AvroSerde.of(AnomalyEvent.class, registrySettings, false);
            producer = new KafkaProducer<>(
                    Map.of("bootstrap.servers", kafka.bootstrapServers()),
                    new ByteArraySerializer(),
                    new ByteArraySerializer());
            // Partition 0: six frames of cam-2, and one without a key. Partition 1: four of cam-10, of which the
            // application has committed three.
            for (int i = 0; i < 6; i++) send(TOPICS.frames(), 0, "cam-2", new byte[] {1});
            send(TOPICS.frames(), 0, null, new byte[] {1});
            for (int i = 0; i < 4; i++) send(TOPICS.frames(), 1, "cam-10", new byte[] {1});
            admin.alterConsumerGroupOffsets(
                            "linesight-inspection",
                            Map.of(
                                    new TopicPartition(TOPICS.frames().name(), 0),
                                    new OffsetAndMetadata(7),
                                    new TopicPartition(TOPICS.frames().name(), 1),
                                    new OffsetAndMetadata(3)))
                    .all()
                    .get();
            for (long offset : new long[] {0, 1, 2, 4, 5}) result("cam-2", 0, offset);
            deadLetter(0, 3);
            deadLetter(0, 6);
            for (long offset : new long[] {0, 1, 2}) result("cam-10", 1, offset);
            event("cam-10", 1, 0);
            assertThat(audit(kafka, registry)).as(() -> out + err).isZero();
            assertThat(row("cam-2")).isEqualTo("cam-2 6 5 1 0 0 0 0");
            assertThat(row("cam-10")).isEqualTo("cam-10 4 3 0 1 0 0 0");
            assertThat(row("(no key)")).isEqualTo("(no key) 1 0 1 0 0 0 0");
            assertThat(row("total")).isEqualTo("total 11 8 2 1 0 0 0");
            assertThat(out)
                    .contains(
                            "Clean so far: 1 frames wait for 'linesight-inspection'",
                            "scored by v1: 8",
                            "dead letters CORRUPT_IMAGE: 2");
            assertThat(out.indexOf("cam-2 ")).isLessThan(out.indexOf("cam-10 "));

            // A second result, a second event, an older frame after a younger one, a result of another topic's frame,
            // and a record that is not ours.
            result("cam-2", 0, 5);
            event("cam-10", 1, 0);
            deadLetter(0, 6);
            for (int i = 0; i < 3; i++) send(TOPICS.frames(), 1, "cam-10", new byte[] {1});
            result("cam-10", 1, 5);
            result("cam-10", 1, 4);
            result("cam-10", 1, 999);
            send(TOPICS.results(), 1, "cam-10", new byte[] {7, 7});
            admin.alterConsumerGroupOffsets(
                            "linesight-inspection",
                            Map.of(new TopicPartition(TOPICS.frames().name(), 1), new OffsetAndMetadata(7)))
                    .all()
                    .get();
            Path json = dir.resolve("audit.json");
            assertThat(audit(kafka, registry, "--since", "1h", "--json", json.toString()))
                    .isEqualTo(1);
            assertThat(row("cam-2")).isEqualTo("cam-2 6 5 1 0 0 1 0");
            assertThat(row("cam-10")).isEqualTo("cam-10 7 5 0 0 2 0 1");
            assertThat(row("(no key)")).isEqualTo("(no key) 1 0 1 0 0 1 0");
            assertThat(out)
                    .contains("NOT CLEAN", "records that cannot be read: 1", "no longer kept or of another topic: 1");
            JsonNode document = new ObjectMapper().readTree(json.toFile());
            assertThat(document.get("clean").asBoolean()).isFalse();
            assertThat(document.get("cameras").get("cam-10").get("lost").asInt())
                    .isEqualTo(2);
            assertThat(document.get("total").get("doubled").asInt()).isEqualTo(2);
            assertThat(document.get("total").get("doubledEvents").asInt()).isOne();
            assertThat(out).contains("anomaly events beyond the first of a frame: 1");

            // To an application that has never run, nothing is lost.
            assertThat(audit(kafka, registry, "--application", "another")).isEqualTo(1);
            assertThat(row("cam-10")).isEqualTo("cam-10 7 5 0 2 0 0 1");
            producer.close();
        }
    }
}

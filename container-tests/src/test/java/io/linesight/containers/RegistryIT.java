package io.linesight.containers;

import static org.assertj.core.api.Assertions.assertThat;

import io.apicurio.registry.serde.SerdeConfig;
import io.apicurio.registry.serde.avro.AvroKafkaDeserializer;
import io.apicurio.registry.serde.avro.AvroKafkaSerializer;
import io.linesight.schemas.CameraFrame;
import io.linesight.schemas.registry.SchemaRegistryClient;
import io.linesight.schemas.serde.LinesightAvroSerializer;
import io.linesight.schemas.topics.TopicSpec;
import io.linesight.streams.InspectionApp;
import io.linesight.streams.monitoring.InspectionMetrics;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.testcontainers.junit.jupiter.Testcontainers;

/**
 * Shows that a registry of somebody else's serves, over the API that it shares with Confluent's, and what its absence
 * does.
 *
 * <p>Set-up: one broker, Apicurio Registry 2.6, the app with its own serde.
 */
@Testcontainers(disabledWithoutDocker = true)
@Timeout(600)
class RegistryIT {
    private KafkaCluster kafka;
    private Apicurio registry;
    private Line line;

    @BeforeEach
    void start() {
        registry = new Apicurio();
        kafka = KafkaCluster.plain(1);
        line = new Line(kafka.bootstrapServers(), registry.url());
    }

    @AfterEach
    void stop() {
        if (kafka != null) kafka.close();
        registry.close();
    }

    /**
     * Steps: two cameras, two results' writers and a books' reader share an Apicurio Registry that knew no schema.
     *
     * <p>Outcome: frames come through; what was registered are the schemas of frames, results and anomaly events under
     * their topics' subjects, and the registry gives back under each id what was written with it.
     */
    @Test
    void shouldWorkWithApicurio() throws Exception {
        try (InspectionApp app = Line.app(line.settings());
                Line.Cameras cameras = line.new Cameras(2, 40, 40)) {
            cameras.join();
            assertThat(line.books(Duration.ofSeconds(60))).isEqualTo(new Line.Books(80, 80, 20, 0, 0, 0, 0));
        }
        SchemaRegistryClient client = new SchemaRegistryClient(line.settings());
        assertThat(client.subjects())
                .contains("linesight.frames.v1-value", "linesight.results.v1-value", "linesight.anomalies.v1-value");
        for (TopicSpec topic : List.of(line.topics.frames(), line.topics.results(), line.topics.anomalies())) {
            int id = ByteBuffer.wrap(line.read(topic).get(0).value(), 1, 4).getInt();
            assertThat(client.schemaById(id))
                    .isEqualTo(client.latest(topic.name() + "-value").schema());
        }
    }

    /**
     * Steps: eight clients register the first schema of a subject at the same moment, twenty times.
     *
     * <p>Outcome: all get the same id, although Apicurio tells all but one that the subject is there already.
     */
    @Test
    void shouldRegisterOneSchemaForManyAtOnce() throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(8);
        try {
            for (int round = 0; round < 20; round++) {
                String subject = "race-" + round + "-value";
                List<Callable<Integer>> all = java.util.stream.IntStream.range(0, 8)
                        .<Callable<Integer>>mapToObj(i -> () -> new SchemaRegistryClient(line.settings())
                                .register(subject, CameraFrame.getClassSchema()))
                        .toList();
                Set<Integer> ids = new TreeSet<>();
                for (Future<Integer> f : pool.invokeAll(all)) ids.add(f.get());
                assertThat(ids).hasSize(1);
            }
        } finally {
            pool.shutdownNow();
        }
    }

    /**
     * Steps: the registry is killed while frames flow and the schemas are known; it is away for 10 s, longer than it is
     * tried at a time, and comes back.
     *
     * <p>Outcome: nobody notices. Every frame has one result, in order, and none is a dead letter.
     */
    @Test
    void shouldContinueWithoutRegistryOnceSchemasAreKnown() throws Exception {
        try (InspectionApp app = Line.app(line.settings());
                Line.Cameras cameras = line.new Cameras(4, 400, 20)) {
            // Four cameras, 20 frames a second each.
            cameras.awaitMore(3 * 80);
            registry.kill();
            cameras.awaitMore(10 * 80);
            registry.restart();
            cameras.join();
            assertThat(line.books(Duration.ofSeconds(60))).isEqualTo(new Line.Books(1600, 1600, 400, 0, 0, 0, 0));
            assertThat(app.state()).isEqualTo(InspectionApp.State.RUNNING);
        }
    }

    /**
     * Steps: the app runs and has not seen a frame yet when the registry goes. Frames come whose schema it would have
     * to ask for. When it has said for longer than a stream thread would wait ({@code linesight.registry.retry.ms})
     * that it waits for the registry, the registry comes back.
     *
     * <p>Outcome: while it is away nothing is answered and nothing put aside as bad, and no stream thread is lost;
     * afterwards every frame has one result, in order.
     */
    @Test
    void shouldLetFramesWaitForASchemaThatCannotBeHad() throws Exception {
        List<byte[]> frames = new java.util.ArrayList<>();
        try (InspectionApp app = Line.app(line.settings("linesight.registry.retry.ms", "5000"))) {
            // The serializer learns its id here; the app learns nothing, for no frame is written yet.
            LinesightAvroSerializer<CameraFrame> serializer = new LinesightAvroSerializer<>();
            serializer.configure(line.settings(), false);
            for (int i = 0; i < 400; i++)
                frames.add(serializer.serialize(
                        line.topics.frames().name(), Line.frame("cam-" + i % 4, i / 4, i % 16 < 4 ? 250 : 10)));
            registry.kill();
            line.write(frames, i -> "cam-" + i % 4);
            Awaitility.await("frames that wait for the registry")
                    .atMost(Duration.ofSeconds(180))
                    .during(Duration.ofSeconds(12))
                    .until(() -> app.whyNotReady()
                            .filter(w -> w.contains("registry"))
                            .isPresent());
            assertThat(line.read(line.topics.results())).isEmpty();
            assertThat(line.read(line.topics.deadLetter())).isEmpty();
            assertThat(app.state()).isNotEqualTo(InspectionApp.State.FAILED);
            registry.restart();
            assertThat(line.books(Duration.ofSeconds(90))).isEqualTo(new Line.Books(400, 400, 100, 0, 0, 0, 0));
            assertThat(app.meters().counter(InspectionMetrics.THREADS_REPLACED).count())
                    .isZero();
        }
    }

    /**
     * Steps: a serializer that is not ours (Apicurio's, told to write Confluent's four-byte ids) writes frames as
     * generic records; its deserializer reads the results and anomaly events.
     *
     * <p>Outcome: the frames are inspected like any other; what is read has our schemas' names and the fields' values.
     */
    @Test
    void shouldBeReadAndWrittenByASerdeThatIsNotOurs() throws Exception {
        Map<String, Object> theirs = Map.of(
                SerdeConfig.REGISTRY_URL,
                registry.ownUrl(),
                SerdeConfig.ID_HANDLER,
                "io.apicurio.registry.serde.Legacy4ByteIdHandler",
                SerdeConfig.ENABLE_HEADERS,
                false,
                SerdeConfig.USE_ID,
                "contentId",
                SerdeConfig.ENABLE_CONFLUENT_ID_HANDLER,
                true,
                SerdeConfig.ARTIFACT_RESOLVER_STRATEGY,
                "io.apicurio.registry.serde.avro.strategy.TopicRecordIdStrategy",
                SerdeConfig.AUTO_REGISTER_ARTIFACT,
                true);
        List<byte[]> frames = new java.util.ArrayList<>();
        try (AvroKafkaSerializer<GenericRecord> serializer = new AvroKafkaSerializer<>()) {
            serializer.configure(theirs, false);
            for (int i = 0; i < 20; i++) {
                byte[] bytes = serializer.serialize(
                        line.topics.frames().name(), generic(Line.frame("cam-1", i, i % 2 == 0 ? 250 : 10)));
                assertThat(bytes[0]).as("magic byte").isZero();
                frames.add(bytes);
            }
        }
        try (InspectionApp app = Line.app(line.settings());
                AvroKafkaDeserializer<GenericRecord> deserializer = new AvroKafkaDeserializer<>()) {
            line.write(frames, i -> "cam-1");
            assertThat(line.books(Duration.ofSeconds(60))).isEqualTo(new Line.Books(20, 20, 10, 0, 0, 0, 0));
            deserializer.configure(theirs, false);
            int n = 0;
            for (ConsumerRecord<byte[], byte[]> r : line.read(line.topics.results())) {
                GenericRecord result = deserializer.deserialize(r.topic(), r.value());
                assertThat(result.getSchema().getFullName()).isEqualTo("io.linesight.schemas.InspectionResult");
                assertThat(result.get("cameraId")).hasToString("cam-1");
                assertThat(result.get("frameId")).hasToString("cam-1-" + n++);
            }
            for (ConsumerRecord<byte[], byte[]> r : line.read(line.topics.anomalies())) {
                GenericRecord event = deserializer.deserialize(r.topic(), r.value());
                assertThat(event.getSchema().getFullName()).isEqualTo("io.linesight.schemas.AnomalyEvent");
                assertThat(((GenericRecord) event.get("result")).get("cameraId"))
                        .hasToString("cam-1");
            }
        }
    }

    /** As a program writes it that has the schema and none of our classes. */
    private static GenericRecord generic(CameraFrame frame) throws java.io.IOException {
        java.io.ByteArrayOutputStream out = new java.io.ByteArrayOutputStream();
        org.apache.avro.io.BinaryEncoder encoder =
                org.apache.avro.io.EncoderFactory.get().binaryEncoder(out, null);
        new org.apache.avro.specific.SpecificDatumWriter<>(CameraFrame.class).write(frame, encoder);
        encoder.flush();
        org.apache.avro.Schema schema = new org.apache.avro.Schema.Parser()
                .parse(CameraFrame.getClassSchema().toString());
        return new org.apache.avro.generic.GenericDatumReader<GenericRecord>(schema, schema, new GenericData())
                .read(null, org.apache.avro.io.DecoderFactory.get().binaryDecoder(out.toByteArray(), null));
    }
}

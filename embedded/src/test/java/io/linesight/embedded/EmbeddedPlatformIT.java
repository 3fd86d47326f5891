package io.linesight.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.linesight.schemas.CameraFrame;
import io.linesight.schemas.DeadLetterCode;
import io.linesight.schemas.FrameEncoding;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.registry.RegistryException;
import io.linesight.schemas.registry.SchemaRegistryClient;
import io.linesight.schemas.serde.AvroSerde;
import io.linesight.schemas.serde.BadRecordException;
import io.linesight.schemas.topics.SizeLimits;
import io.linesight.schemas.topics.TopicAdmin;
import io.linesight.schemas.topics.TopicAdmin.State;
import io.linesight.schemas.topics.TopicSpec;
import io.linesight.schemas.topics.Topics;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Future;
import org.apache.avro.Schema;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Broker, registry, topic catalogue and serde together, as an application uses them. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class EmbeddedPlatformIT {

    private static final SizeLimits LIMITS = new SizeLimits(2 << 20);

    private EmbeddedKafka kafka;
    private EmbeddedRegistry registry;

    @BeforeAll
    void start(@TempDir Path directory) {
        kafka = EmbeddedKafka.in(directory.resolve("kafka")).sizeLimits(LIMITS).start();
        registry = EmbeddedRegistry.start(kafka.bootstrapServers(), 0);
    }

    @AfterAll
    void stop() {
        registry.close();
        kafka.close();
    }

    @Test
    void shouldAcceptRecordsInOrderAsSoonAsTopicsAreCreated() throws Exception {
        Map<String, Object> configs = Map.of(
                "bootstrap.servers",
                kafka.bootstrapServers(),
                "batch.size",
                "100",
                "delivery.timeout.ms",
                "60000",
                "request.timeout.ms",
                "30000");
        try (Admin admin = admin();
                KafkaProducer<byte[], byte[]> producer =
                        new KafkaProducer<>(configs, new ByteArraySerializer(), new ByteArraySerializer())) {
            for (int i = 0; i < 20; i++) {
                TopicSpec topic = Topics.of("fresh" + i, 3, TopicSpec.BROKER_DEFAULT, LIMITS)
                        .frames();
                TopicAdmin.ensure(admin, List.of(topic));
                List<Future<RecordMetadata>> sent = new ArrayList<>();
                for (int record = 0; record < 60; record++) {
                    sent.add(producer.send(new ProducerRecord<>(topic.name(), record % 3, null, new byte[60])));
                }
                for (int record = 0; record < 60; record++) {
                    assertThat(sent.get(record).get().offset()).isEqualTo(record / 3);
                }
            }
        }
    }

    @Test
    void shouldCarryAFrameOfFullSizeThroughTheBroker() throws Exception {
        Topics topics = ensured("full-size");
        byte[] pixels = new byte[LIMITS.frameBytes() - 1000];
        new Random(7).nextBytes(pixels); // incompressible
        CameraFrame sent = frame("cam-1", 1, pixels);

        send(topics.frames().name(), sent);
        ConsumerRecord<String, CameraFrame> received = readFirst(topics.frames().name());

        assertThat(received.key()).isEqualTo("cam-1");
        assertThat(received.value()).isEqualTo(sent);
        assertThat(received.value().getCapturedAt()).isEqualTo(sent.getCapturedAt());
    }

    @Test
    void shouldRejectAFrameAboveTheLimitOnTheProducersSide() {
        Topics topics = ensured("too-large");

        assertThatThrownBy(() ->
                        send(topics.frames().name(), frame("cam-1", 1, new byte[LIMITS.frameBytes() + (1 << 20)])))
                .hasRootCauseInstanceOf(RecordTooLargeException.class);
    }

    @Test
    void shouldAcceptFullSizeFrameWithItsReasonAsDeadLetter() throws Exception {
        Topics topics = ensured("dead-letters");
        byte[] value = new byte[LIMITS.frameBytes()];
        new Random(8).nextBytes(value);
        Map<String, Object> configs = new HashMap<>(LIMITS.producerConfigs());
        configs.put("bootstrap.servers", kafka.bootstrapServers());

        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(configs, new ByteArraySerializer(), new ByteArraySerializer())) {
            ProducerRecord<byte[], byte[]> record =
                    new ProducerRecord<>(topics.deadLetter().name(), "cam-1".getBytes(), value);
            io.linesight.schemas.topics.DeadLetterHeaders.write(
                    record.headers(),
                    DeadLetterCode.CORRUPT_RECORD,
                    "x".repeat(5000),
                    topics.frames().name(),
                    0,
                    17);
            producer.send(record).get();
        }
        Map<String, Object> reader = new HashMap<>(LIMITS.consumerConfigs());
        reader.put("bootstrap.servers", kafka.bootstrapServers());
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(reader, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            ConsumerRecord<byte[], byte[]> letter =
                    first(consumer, topics.deadLetter().name());
            assertThat(letter.value()).isEqualTo(value);
            var reason = io.linesight.schemas.topics.DeadLetterHeaders.read(letter.headers())
                    .orElseThrow();
            assertThat(reason.getCode()).isEqualTo(DeadLetterCode.CORRUPT_RECORD);
            assertThat(reason.getMessage()).hasSize(2000);
            assertThat(reason.getSource())
                    .isEqualTo(new FrameRef(topics.frames().name(), 0, 17L));
        }
    }

    @Test
    void shouldCreateTopicsOnceAndReportDifferencesWithoutChangingThem() {
        Topics topics = Topics.of("twice", 2, TopicSpec.BROKER_DEFAULT, LIMITS);
        try (Admin admin = admin()) {
            assertThat(TopicAdmin.check(admin, topics.all()))
                    .extracting(r -> r.state())
                    .containsOnly(State.MISSING);
            assertThat(TopicAdmin.ensure(admin, topics.all()))
                    .extracting(r -> r.state())
                    .containsOnly(State.CREATED);
            assertThat(TopicAdmin.ensure(admin, topics.all()))
                    .extracting(r -> r.state())
                    .containsOnly(State.EXISTS);

            TopicSpec other = topics.frames().withPartitions(3).withRetention(Duration.ofHours(1));
            var report = TopicAdmin.ensure(admin, List.of(topics.results(), other));

            assertThat(report.get(0).state()).isEqualTo(State.EXISTS);
            assertThat(report.get(1).state()).isEqualTo(State.DIFFERS);
            assertThat(report.get(1).differences())
                    .containsExactlyInAnyOrder(
                            new TopicAdmin.Difference("partitions", "3", "2"),
                            new TopicAdmin.Difference("retention.ms", "3600000", "86400000"));
            assertThat(report.get(1).describe())
                    .contains("nothing was changed", "partitions is 2, the catalogue has 3");
            assertThat(TopicAdmin.check(admin, List.of(topics.frames())).get(0).state())
                    .isEqualTo(State.EXISTS);
        }
    }

    @Test
    void shouldSayWhatToCheckWhenTheBrokerDoesNotAnswer() {
        try (Admin admin = Admin.create(Map.of(
                "bootstrap.servers",
                "127.0.0.1:" + Ports.free(),
                "default.api.timeout.ms",
                1500,
                "request.timeout.ms",
                1000))) {
            assertThatThrownBy(() -> TopicAdmin.ensure(admin, Topics.defaults().all()))
                    .hasMessageContaining("check bootstrap.servers");
        }
    }

    @Test
    void shouldKeepRecordsAndSchemaIdsOverARestart(@TempDir Path own) throws Exception {
        Topics topics = Topics.of("restart", 1, TopicSpec.BROKER_DEFAULT, LIMITS);
        CameraFrame sent = frame("cam-9", 5, new byte[] {1, 2, 3});
        int id;
        int refId;
        try (EmbeddedKafka broker = EmbeddedKafka.in(own).sizeLimits(LIMITS).start();
                EmbeddedRegistry schemas = EmbeddedRegistry.start(broker.bootstrapServers(), 0)) {
            try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrapServers()))) {
                TopicAdmin.ensure(admin, topics.all());
            }
            send(broker, schemas, topics.frames().name(), sent);
            SchemaRegistryClient client = client(schemas);
            refId = client.register("other-value", FrameRef.getClassSchema());
            client.setCompatibility("other-value", "NONE");
            id = client.lookup(topics.frames().name() + "-value", CameraFrame.getClassSchema());
        }
        try (EmbeddedKafka broker = EmbeddedKafka.in(own).sizeLimits(LIMITS).start();
                EmbeddedRegistry schemas = EmbeddedRegistry.start(broker.bootstrapServers(), 0)) {
            assertThat(readFirst(broker, schemas, topics.frames().name()).value())
                    .isEqualTo(sent);
            SchemaRegistryClient client = client(schemas);
            assertThat(client.lookup(topics.frames().name() + "-value", CameraFrame.getClassSchema()))
                    .isEqualTo(id);
            assertThat(client.schemaById(refId)).isEqualTo(FrameRef.getClassSchema());
            assertThat(client.compatibilityOf("other-value")).contains("NONE");
            assertThat(client.register("third-value", new Schema.Parser().parse("\"string\"")))
                    .isGreaterThan(Math.max(id, refId));
        }
    }

    @Test
    void shouldNotStartOnPortInUse(@TempDir Path own) throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, Ports.address())) {
            int port = taken.getLocalPort();
            assertThatThrownBy(() -> EmbeddedKafka.in(own).port(port).start())
                    .isInstanceOf(PortInUseException.class)
                    .hasMessageContaining("port " + port)
                    .hasMessageContaining("not started");
            assertThatThrownBy(() -> EmbeddedRegistry.start(kafka.bootstrapServers(), port))
                    .isInstanceOf(PortInUseException.class)
                    .hasMessageContaining("port " + port);
        }
        assertThat(own).isEmptyDirectory();
    }

    @Test
    void shouldNotShareADataDirectoryWithAnotherBroker() {
        assertThatThrownBy(() -> EmbeddedKafka.in(kafka.dataDirectory()).start())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("another broker uses");
    }

    @Test
    void shouldSayWhichDirectoryCannotBeUsed(@TempDir Path own) throws Exception {
        Path file = java.nio.file.Files.createFile(own.resolve("file"));

        assertThatThrownBy(() -> EmbeddedKafka.in(file).start())
                .hasMessageContaining(file.toString())
                .hasMessageContaining("another data directory");
        assertThatThrownBy(() -> EmbeddedKafka.in(own.resolve("a,b")).start()).hasMessageContaining("comma");
    }

    @Test
    void shouldRejectAnIncompatibleSchemaAndKeepTheOldOne() {
        SchemaRegistryClient client = client(registry);
        Schema first = new Schema.Parser()
                .parse("""
                {"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}""");
        Schema second = new Schema.Parser()
                .parse(
                        """
                {"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":"int"}]}""");
        int id = client.register("strict-value", first);

        assertThat(client.check("strict-value", second).compatible()).isFalse();
        assertThat(client.check("strict-value", second).reasons())
                .anyMatch(r -> r.contains("READER_FIELD_MISSING_DEFAULT_VALUE"));
        RegistryException rejected =
                catchThrowableOfType(RegistryException.class, () -> client.register("strict-value", second));

        assertThat(rejected.kind()).isEqualTo(RegistryException.Kind.INCOMPATIBLE);
        assertThat(rejected.isRetriable()).isFalse();
        assertThat(rejected).hasMessageContaining("Nothing was registered");
        assertThat(client.versions("strict-value")).containsExactly(1);
        assertThat(client.latest("strict-value").id()).isEqualTo(id);
    }

    @Test
    void shouldCompareWithEveryEarlierVersionByDefault() {
        SchemaRegistryClient client = client(registry);
        Schema one = new Schema.Parser()
                .parse("""
                {"type":"record","name":"T","fields":[{"name":"a","type":"int"}]}""");
        Schema two = new Schema.Parser().parse("""
                {"type":"record","name":"T","fields":[]}""");
        Schema three = new Schema.Parser()
                .parse(
                        """
                {"type":"record","name":"T","fields":[{"name":"a","type":"string","default":""}]}""");
        client.register("transitive-value", one);
        client.register("transitive-value", two);

        assertThat(client.check("transitive-value", three).compatible())
                .as("version 1 has an int there")
                .isFalse();
        client.setCompatibility("transitive-value", "BACKWARD");
        assertThat(client.check("transitive-value", three).compatible())
                .as("version 2 has no such field")
                .isTrue();
    }

    @Test
    void shouldGiveTheSameSchemaTheSameIdUnderEverySubject() {
        SchemaRegistryClient client = client(registry);
        int id = client.register("same-a", FrameRef.getClassSchema());

        assertThat(client.register("same-b", FrameRef.getClassSchema())).isEqualTo(id);
        assertThat(client(registry).register("same-a", FrameRef.getClassSchema()))
                .isEqualTo(id);
        assertThat(client.versions("same-a")).containsExactly(1);
        assertThat(client.subjects()).contains("same-a", "same-b");
    }

    @Test
    void shouldBlameTheRegistryNotTheRecordWhenTheRegistryIsDown() {
        EmbeddedRegistry shortLived = EmbeddedRegistry.start(kafka.bootstrapServers(), 0);
        Map<String, Object> configs =
                Map.of("schema.registry.url", shortLived.url(), "max.retries", 1, "retries.wait.ms", 10);
        byte[] bytes;
        try (AvroSerde<CameraFrame> serde = AvroSerde.of(CameraFrame.class, configs, false)) {
            bytes = serde.serializer().serialize("outage", frame("cam-1", 1, new byte[0]));
        }
        byte[] unknownId = {0, 0x7f, 0, 0, 1, 2};
        try (AvroSerde<CameraFrame> serde = AvroSerde.of(CameraFrame.class, configs, false)) {
            assertThat(catchThrowableOfType(BadRecordException.class, () -> serde.deserializer()
                                    .deserialize("outage", unknownId))
                            .code())
                    .isEqualTo(DeadLetterCode.UNKNOWN_SCHEMA);
            shortLived.close();

            RegistryException down = catchThrowableOfType(
                    RegistryException.class, () -> serde.deserializer().deserialize("outage", bytes));
            assertThat(down.isRetriable()).isTrue();
            assertThat(down.kind()).isEqualTo(RegistryException.Kind.UNREACHABLE);
        }
    }

    private Topics ensured(String prefix) {
        Topics topics = Topics.of(prefix, 1, TopicSpec.BROKER_DEFAULT, LIMITS);
        try (Admin admin = admin()) {
            TopicAdmin.ensure(admin, topics.all());
        }
        return topics;
    }

    private Admin admin() {
        return Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()));
    }

    private static SchemaRegistryClient client(EmbeddedRegistry registry) {
        return new SchemaRegistryClient(Map.of("schema.registry.url", registry.url()));
    }

    private void send(String topic, CameraFrame frame) throws Exception {
        send(kafka, registry, topic, frame);
    }

    private static void send(EmbeddedKafka kafka, EmbeddedRegistry registry, String topic, CameraFrame frame)
            throws Exception {
        Map<String, Object> configs = new HashMap<>(LIMITS.producerConfigs());
        configs.put("bootstrap.servers", kafka.bootstrapServers());
        AvroSerde<CameraFrame> serde =
                AvroSerde.of(CameraFrame.class, Map.of("schema.registry.url", registry.url()), false);
        try (KafkaProducer<String, CameraFrame> producer =
                new KafkaProducer<>(configs, new StringSerializer(), serde.serializer())) {
            producer.send(new ProducerRecord<>(topic, frame.getCameraId(), frame))
                    .get();
        }
    }

    private ConsumerRecord<String, CameraFrame> readFirst(String topic) {
        return readFirst(kafka, registry, topic);
    }

    private static ConsumerRecord<String, CameraFrame> readFirst(
            EmbeddedKafka kafka, EmbeddedRegistry registry, String topic) {
        Map<String, Object> configs = new HashMap<>(LIMITS.consumerConfigs());
        configs.put("bootstrap.servers", kafka.bootstrapServers());
        AvroSerde<CameraFrame> serde =
                AvroSerde.of(CameraFrame.class, Map.of("schema.registry.url", registry.url()), false);
        try (KafkaConsumer<String, CameraFrame> consumer =
                new KafkaConsumer<>(configs, new StringDeserializer(), serde.deserializer())) {
            return first(consumer, topic);
        }
    }

    private static <K, V> ConsumerRecord<K, V> first(KafkaConsumer<K, V> consumer, String topic) {
        TopicPartition partition = new TopicPartition(topic, 0);
        consumer.assign(List.of(partition));
        consumer.seekToBeginning(List.of(partition));
        long end = System.nanoTime() + Duration.ofSeconds(120).toNanos();
        while (System.nanoTime() < end) {
            var records = consumer.poll(Duration.ofMillis(200));
            if (!records.isEmpty()) {
                return records.iterator().next();
            }
        }
        throw new AssertionError("no record in " + topic + " within two minutes");
    }

    private static CameraFrame frame(String camera, long sequence, byte[] image) {
        return CameraFrame.newBuilder()
                .setFrameId(camera + "-" + sequence)
                .setCameraId(camera)
                .setProduct("bolt")
                .setCapturedAt(Instant.now().truncatedTo(ChronoUnit.MICROS))
                .setSequence(sequence)
                .setEncoding(FrameEncoding.JPEG)
                .setWidth(0)
                .setHeight(0)
                .setImage(ByteBuffer.wrap(image))
                .setAttributes(Map.of("station", "A"))
                .build();
    }
}

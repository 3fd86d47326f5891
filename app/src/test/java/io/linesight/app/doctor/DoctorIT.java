package io.linesight.app.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.embedded.EmbeddedKafka;
import io.linesight.embedded.EmbeddedRegistry;
import io.linesight.models.rollouts.Author;
import io.linesight.models.rollouts.ModelPublisher;
import io.linesight.models.rollouts.ModelRegistry;
import io.linesight.models.rollouts.ModelRegistryView;
import io.linesight.models.rollouts.RolloutRules;
import io.linesight.models.rollouts.RolloutWriter;
import io.linesight.models.signing.CheckpointSigner;
import io.linesight.models.signing.KeyFiles;
import io.linesight.models.signing.TrustedKeys;
import io.linesight.models.storage.CheckpointStores;
import io.linesight.models.storage.ModelsConfig;
import io.linesight.schemas.CameraFrame;
import io.linesight.schemas.DatasetSummary;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.GateOutcome;
import io.linesight.schemas.GateVerdict;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.registry.SchemaRegistryClient;
import io.linesight.schemas.topics.SizeLimits;
import io.linesight.schemas.topics.TopicAdmin;
import io.linesight.schemas.topics.TopicSpec;
import io.linesight.schemas.topics.Topics;
import io.linesight.schemas.topics.ValueSchemas;
import io.linesight.streams.config.SettingsCheck;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import org.apache.avro.Schema;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The doctor on a real broker and registry, where things were broken on purpose. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(600)
class DoctorIT {
    /** The clients' own timeouts are a minute; a busy machine needs some seconds more than the 8 of the budget. */
    private static final Duration LONGER_THAN_BUDGET = Duration.ofSeconds(30);

    private static final SizeLimits LIMITS = new SizeLimits(1 << 20);

    private Path folder;
    private EmbeddedKafka kafka;
    private EmbeddedRegistry registry;

    @BeforeAll
    void start(@TempDir Path directory) {
        folder = directory;
        kafka = EmbeddedKafka.in(folder.resolve("kafka")).sizeLimits(LIMITS).start();
        registry = EmbeddedRegistry.start(kafka.bootstrapServers(), 0);
    }

    @AfterAll
    void stop() {
        registry.close();
        kafka.close();
    }

    private Map<String, String> settings(String prefix, String... more) {
        Map<String, String> settings = new HashMap<>(Map.of(
                "bootstrap.servers",
                kafka.bootstrapServers(),
                "schema.registry.url",
                registry.url(),
                Topics.PREFIX_CONFIG,
                prefix,
                SizeLimits.FRAME_BYTES_CONFIG,
                "" + LIMITS.frameBytes()));
        for (int i = 0; i < more.length; i += 2) settings.put(more[i], more[i + 1]);
        return settings;
    }

    private List<CheckResult> look(Map<String, String> settings, Part part, Duration timeout) {
        Map<String, Path> folders = new LinkedHashMap<>(Map.of("state.dir", folder.resolve("state")));
        List<CheckResult> results = new Doctor(new DoctorOptions(
                        SettingsCheck.of(settings),
                        Topics.from(settings),
                        part,
                        true,
                        "inspection-" + settings.get(Topics.PREFIX_CONFIG),
                        "trainer",
                        "auto",
                        folders,
                        true,
                        timeout))
                .run(r -> {});
        results.forEach(r -> System.out.println("DoctorIT: " + r));
        assertThat(results)
                .extracting(CheckResult::check)
                .containsExactly(
                        "settings",
                        "broker",
                        "topics",
                        "rights",
                        "group",
                        "registry",
                        "clock",
                        "natives",
                        "device",
                        "folders",
                        "models");
        return results;
    }

    private static CheckResult check(List<CheckResult> results, String name) {
        return results.stream().filter(r -> r.check().equals(name)).findFirst().orElseThrow();
    }

    private static List<Finding> findings(List<CheckResult> results) {
        List<Finding> all = new ArrayList<>();
        results.forEach(r -> all.addAll(r.findings()));
        return all;
    }

    private void create(String prefix) {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()))) {
            TopicAdmin.ensure(admin, Topics.from(settings(prefix)).all());
        }
    }

    @Test
    void shouldFindNothingThatStopsOnASoundCluster() {
        create("sound");
        List<CheckResult> results = look(settings("sound"), Part.ALL, Duration.ofSeconds(60));
        assertThat(Doctor.healthy(results)).isTrue();
        assertThat(results).allSatisfy(r -> assertThat(r.notRun()).isNull());
        assertThat(findings(results)).extracting(Finding::problem).containsExactly(Problem.SINGLE_COPY);
        assertThat(check(results, "broker").facts()).contains("1 broker", "metadata 4.");
        assertThat(check(results, "natives").facts()).contains("ONNX Runtime 1.", "OpenCV decodes", "libtorch loads");
    }

    @Test
    void shouldFindEverythingThatIsBroken() throws Exception {
        create("broken");
        Topics t = Topics.from(settings("broken"));
        SchemaRegistryClient client = new SchemaRegistryClient(settings("broken"));
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()));
                KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                        Map.of("bootstrap.servers", kafka.bootstrapServers()),
                        new ByteArraySerializer(),
                        new ByteArraySerializer());
                KafkaConsumer<byte[], byte[]> other = new KafkaConsumer<>(
                        Map.of(
                                "bootstrap.servers",
                                kafka.bootstrapServers(),
                                "group.id",
                                "inspection-broken",
                                "group.protocol",
                                "classic"),
                        new ByteArrayDeserializer(),
                        new ByteArrayDeserializer())) {
            alter(admin, t.frames(), "max.message.bytes", "100000");
            alter(admin, t.results(), "cleanup.policy", "compact");
            alter(admin, t.modelChunks(), "cleanup.policy", "delete");
            alter(admin, t.rollouts(), "retention.ms", "86400000");
            alter(admin, t.anomalies(), "retention.ms", "60000");
            admin.createPartitions(Map.of(t.anomalies().name(), NewPartitions.increaseTo(9)))
                    .all()
                    .get();
            admin.deleteTopics(List.of(t.deadLetter().name())).all().get();
            client.register(t.results().name() + "-value", FrameRef.getClassSchema());
            client.register(t.frames().name() + "-value", CameraFrame.getClassSchema());
            client.setCompatibility(t.frames().name() + "-value", "NONE");
            producer.send(new ProducerRecord<>(
                            t.frames().name(), 0, System.currentTimeMillis() + 60_000, null, new byte[10]))
                    .get();
            other.subscribe(List.of(t.frames().name()));
            while (other.assignment().isEmpty()) other.poll(Duration.ofMillis(100));
            List<CheckResult> results = look(settings("broken"), Part.ALL, Duration.ofSeconds(60));
            assertThat(Doctor.healthy(results)).isFalse();
            assertThat(findings(results))
                    .extracting(Finding::problem)
                    .contains(
                            Problem.TOPIC_TOO_SMALL,
                            Problem.COMPACTED,
                            Problem.NOT_COMPACTED,
                            Problem.HISTORY_CUT,
                            Problem.RETENTION_SHORT,
                            Problem.PARTITIONS_DIFFER,
                            Problem.TOPIC_MISSING,
                            Problem.SCHEMA_INCOMPATIBLE,
                            Problem.SCHEMA_UNGUARDED,
                            Problem.CAMERA_AHEAD,
                            Problem.GROUP_SHARED);
        }
    }

    @Test
    void shouldSayWhatAnOlderSchemaLacksWhereWritersMayNotRegister() throws Exception {
        create("older");
        Topics t = Topics.from(settings("older"));
        SchemaRegistryClient client = new SchemaRegistryClient(settings("older"));
        ValueSchemas.of(t).forEach((topic, schema) -> {
            if (!topic.name().equals(t.frames().name())) client.register(topic.name() + "-value", schema);
        });
        client.register(
                t.frames().name() + "-value",
                new Schema.Parser()
                        .parse(Files.readString(
                                Path.of("../schemas/src/test/resources/schemas-released/CameraFrame/v1.avsc"))));
        for (String latest : List.of("true", "false")) {
            List<CheckResult> results = look(
                    settings("older", "auto.register.schemas", "false", "use.latest.version", latest),
                    Part.ALL,
                    Duration.ofSeconds(60));
            assertThat(Doctor.healthy(results)).isTrue();
            assertThat(findings(results))
                    .filteredOn(f -> f.problem() == Problem.SCHEMA_OLDER)
                    .singleElement()
                    .satisfies(f -> assertThat(f.message()).contains("version 1", "encoding=MONO16"));
        }
    }

    @Test
    void shouldFindCheckpointsInServiceThatCannotBeHadAnyMore() throws Exception {
        create("models");
        Path key = folder.resolve("line.pub");
        KeyFiles.generate(folder.resolve("line.key"), key);
        Map<String, String> settings = settings("models", ModelsConfig.TRUSTED_KEYS, key.toString());
        ModelsConfig config = ModelsConfig.of(settings);
        List<ModelVersion> published = new ArrayList<>();
        try (ModelRegistry models = ModelRegistry.open(config);
                ModelRegistryView view = ModelRegistryView.open(config, TrustedKeys.of(config));
                ModelRegistryView careless = ModelRegistryView.open(config, TrustedKeys.unsignedAllowed());
                CheckpointStores stores = CheckpointStores.open(config)) {
            RolloutWriter people = new RolloutWriter(models, view, Duration.ofSeconds(20));
            for (String version : List.of("before", "now", "tried", "never")) {
                Path file = folder.resolve(version + ".onnx");
                byte[] bytes = new byte[2_000_000]; // three chunks
                new Random(version.hashCode()).nextBytes(bytes);
                Files.write(file, bytes);
                Optional<CheckpointSigner> signer = version.equals("tried")
                        ? Optional.empty()
                        : Optional.of(CheckpointSigner.load(folder.resolve("line.key")));
                ModelVersion draft = ModelVersion.newBuilder()
                        .setVersion(version)
                        .setChannel("line")
                        .setSha256("00")
                        .setBytes(0)
                        .setCreatedAt(Instant.now().truncatedTo(ChronoUnit.MICROS))
                        .setCreatedBy("anna")
                        .setDataset(DatasetSummary.newBuilder().build())
                        .setProducts(List.of())
                        .setGate(GateVerdict.newBuilder()
                                .setOutcome(GateOutcome.PASSED)
                                .setReason("test")
                                .build())
                        .build();
                published.add(
                        new ModelPublisher(stores, models, view, signer, Duration.ofSeconds(20)).publish(file, draft));
            }
            for (String version : List.of("before", "now"))
                people.decide(
                        "line",
                        known -> RolloutRules.promote(known, "line", version, Author.person("anna", "test"), true));
            List<CheckResult> sound = look(settings, Part.SERVE, Duration.ofSeconds(60));
            assertThat(findings(sound)).extracting(Finding::problem).containsExactly(Problem.SINGLE_COPY);
            assertThat(check(sound, "models").facts())
                    .contains("2 of 4 published versions in use; 4000000 bytes fetched and compared");

            // By somebody who checks no signatures.
            new RolloutWriter(models, careless, Duration.ofSeconds(20))
                    .decide(
                            "line",
                            known -> RolloutRules.shadow(
                                    known, "line", "tried", 10, Author.person("anna", "test"), true));
            // What a topic that deletes by age does: all of the first checkpoint and the start of the second are gone.
            TopicSpec chunks = Topics.from(settings).modelChunks();
            long start = Long.parseLong(published.get(1).getLocation().substring("kafka:".length()));
            try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()))) {
                alter(admin, chunks, "cleanup.policy", "delete");
                admin.deleteRecords(
                                Map.of(new TopicPartition(chunks.name(), 0), RecordsToDelete.beforeOffset(start + 1)))
                        .all()
                        .get();
                alter(admin, chunks, "cleanup.policy", "compact");
            }
            List<CheckResult> broken = look(settings, Part.SERVE, Duration.ofSeconds(60));
            assertThat(Doctor.healthy(broken)).isFalse();
            assertThat(check(broken, "models").findings())
                    .extracting(Finding::problem)
                    .containsExactly(Problem.CHECKPOINT_GONE, Problem.MODEL_UNTRUSTED, Problem.CHECKPOINT_GONE);
            assertThat(check(broken, "models").findings().get(0)).satisfies(f -> {
                assertThat(f.subject()).isEqualTo("now (champion of line)");
                assertThat(f.message()).contains("chunk 1 of 3 is gone");
                assertThat(f.fix())
                        .contains(
                                "linesight models publish FILE",
                                published.get(1).getSha256());
            });
            assertThat(check(broken, "models").findings().get(1))
                    .satisfies(f -> assertThat(f.subject() + ": " + f.message())
                            .contains("tried (challenger of line)", "unsigned"));
            assertThat(check(broken, "models").findings().get(2).subject())
                    .isEqualTo("before (rollback target of line)");

            Optional<CheckpointSigner> signer = Optional.of(CheckpointSigner.load(folder.resolve("line.key")));
            new ModelPublisher(stores, models, view, signer, Duration.ofSeconds(20))
                    .publish(folder.resolve("now.onnx"), published.get(1));
            assertThat(check(look(settings, Part.SERVE, Duration.ofSeconds(60)), "models")
                            .findings())
                    .as("fixed as it says")
                    .extracting(Finding::problem)
                    .containsExactly(Problem.MODEL_UNTRUSTED, Problem.CHECKPOINT_GONE);
        }
    }

    private static void alter(Admin admin, TopicSpec topic, String key, String value) throws Exception {
        admin.incrementalAlterConfigs(Map.of(
                        new ConfigResource(ConfigResource.Type.TOPIC, topic.name()),
                        List.of(new AlterConfigOp(new ConfigEntry(key, value), AlterConfigOp.OpType.SET))))
                .all()
                .get();
    }

    @Test
    void shouldEndInTimeWhereNobodyAnswers() throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        long start = System.nanoTime();
        List<CheckResult> results = look(
                settings(
                        "none",
                        "bootstrap.servers",
                        "localhost:" + port,
                        "schema.registry.url",
                        "http://localhost:" + port),
                Part.SERVE,
                Duration.ofSeconds(8));
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(LONGER_THAN_BUDGET);
        assertThat(findings(results))
                .extracting(Finding::problem)
                .contains(Problem.BROKER_UNUSABLE, Problem.REGISTRY_UNUSABLE);
        assertThat(findings(results).get(0)).satisfies(f -> assertThat(f.message() + " " + f.fix())
                .contains("nothing listens there", "correct host and port"));
        assertThat(check(results, "topics").notRun()).isEqualTo("the broker cannot be used");
        assertThat(check(results, "folders").notRun()).isNull();
    }

    @Test
    void shouldEndInTimeWhereSomebodyListensAndSaysNothing() throws Exception {
        try (ServerSocket mute = new ServerSocket(0)) {
            long start = System.nanoTime();
            List<CheckResult> results = look(
                    settings(
                            "none",
                            "bootstrap.servers",
                            "localhost:" + mute.getLocalPort(),
                            "schema.registry.url",
                            "http://localhost:" + mute.getLocalPort()),
                    Part.CAMERA,
                    Duration.ofSeconds(8));
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(LONGER_THAN_BUDGET);
            assertThat(Doctor.healthy(results)).isFalse();
        }
    }

    @Test
    void shouldTellPlainAgainstTlsFromTlsAgainstPlainAndWrongCertificates() throws Exception {
        String[] trust = {
            "security.protocol",
            "SSL",
            "ssl.truststore.location",
            folder.resolve("trust.p12").toString(),
            "ssl.truststore.password",
            "secret1"
        };
        try (TlsServer server = new TlsServer(keystore("good", "-1d"));
                TlsServer expired = new TlsServer(keystore("old", "-400d"))) {
            assertThat(brokerFinding(server.address(), "security.protocol", "PLAINTEXT")
                            .problem())
                    .isEqualTo(Problem.PLAIN_AGAINST_TLS);
            assertThat(brokerFinding(server.address(), "security.protocol", "SSL")
                            .message())
                    .contains("signed by nobody who is trusted here");
            Finding old = brokerFinding(expired.address(), trust);
            assertThat(old.message() + old.fix()).contains("has expired", "NotAfter", "Renew the certificate");
            assertThat(brokerFinding(server.address(), trust).message())
                    .as("no Kafka behind it")
                    .contains("No Kafka broker answered");
            Finding plain = brokerFinding(kafka.bootstrapServers(), trust);
            assertThat(plain.message() + plain.fix())
                    .contains("does not speak TLS", "security.protocol")
                    .doesNotContain("secret1");
        }
    }

    private Finding brokerFinding(String address, String... more) {
        Map<String, String> settings = settings("tls", more);
        settings.put("bootstrap.servers", address);
        return findings(look(settings, Part.CAMERA, Duration.ofSeconds(12))).get(0);
    }

    /** A key with a certificate for this machine, signed by the authority in {@code authority.p12}. */
    private Path keystore(String name, String from) throws Exception {
        Path authority = folder.resolve("authority.p12");
        Path file = folder.resolve(name + ".p12");
        Path request = folder.resolve(name + ".csr");
        Path signed = folder.resolve(name + ".pem");
        if (!Files.exists(authority)) {
            keytool(
                    "-genkeypair",
                    "-alias",
                    "authority",
                    "-keyalg",
                    "RSA",
                    "-dname",
                    "CN=plant authority",
                    "-ext",
                    "bc=ca:true",
                    "-startdate",
                    "-1000d",
                    "-validity",
                    "2000",
                    "-keystore",
                    authority.toString());
            keytool(
                    "-exportcert",
                    "-rfc",
                    "-alias",
                    "authority",
                    "-file",
                    folder.resolve("authority.pem").toString(),
                    "-keystore",
                    authority.toString());
            keytool(
                    "-importcert",
                    "-noprompt",
                    "-alias",
                    "authority",
                    "-file",
                    folder.resolve("authority.pem").toString(),
                    "-keystore",
                    folder.resolve("trust.p12").toString());
        }
        keytool(
                "-genkeypair",
                "-alias",
                "broker",
                "-keyalg",
                "RSA",
                "-dname",
                "CN=localhost",
                "-keystore",
                file.toString());
        keytool("-certreq", "-alias", "broker", "-file", request.toString(), "-keystore", file.toString());
        keytool(
                "-gencert",
                "-rfc",
                "-alias",
                "authority",
                "-infile",
                request.toString(),
                "-outfile",
                signed.toString(),
                "-ext",
                "san=dns:localhost,ip:127.0.0.1",
                "-startdate",
                from,
                "-validity",
                "30",
                "-keystore",
                authority.toString());
        keytool(
                "-importcert",
                "-noprompt",
                "-alias",
                "authority",
                "-file",
                folder.resolve("authority.pem").toString(),
                "-keystore",
                file.toString());
        keytool(
                "-importcert",
                "-noprompt",
                "-alias",
                "broker",
                "-file",
                signed.toString(),
                "-keystore",
                file.toString());
        return file;
    }

    private static void keytool(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString()));
        command.addAll(List.of(arguments));
        command.addAll(List.of("-storetype", "PKCS12", "-storepass", "secret1"));
        Process p = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(p.getInputStream().readAllBytes());
        assertThat(p.waitFor()).as(said).isZero();
    }

    /** Shakes hands and says nothing more, as a broker's TLS listener does to a client that does not go on. */
    private static final class TlsServer implements AutoCloseable {
        private final SSLServerSocket socket;

        TlsServer(Path keystore) throws Exception {
            KeyStore keys = KeyStore.getInstance("PKCS12");
            keys.load(Files.newInputStream(keystore), "secret1".toCharArray());
            KeyManagerFactory factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            factory.init(keys, "secret1".toCharArray());
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(factory.getKeyManagers(), null, null);
            socket = (SSLServerSocket) context.getServerSocketFactory().createServerSocket(0);
            Thread t = new Thread(this::serve, "tls-server");
            t.setDaemon(true);
            t.start();
        }

        String address() {
            return "localhost:" + socket.getLocalPort();
        }

        private void serve() {
            while (!socket.isClosed()) {
                try (Socket s = socket.accept()) {
                    s.setSoTimeout(1_000);
                    ((SSLSocket) s).startHandshake();
                    s.getInputStream().read();
                } catch (IOException e) {
                    // A client that spoke plain, or none any more.
                }
            }
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }
}

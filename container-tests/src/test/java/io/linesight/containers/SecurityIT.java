package io.linesight.containers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.linesight.app.doctor.Doctor;
import io.linesight.app.doctor.DoctorOptions;
import io.linesight.app.doctor.Part;
import io.linesight.cameras.FramePublisher;
import io.linesight.mmad.image.DecodeSettings;
import io.linesight.models.rollouts.Author;
import io.linesight.models.rollouts.ModelPublisher;
import io.linesight.models.rollouts.ModelRegistry;
import io.linesight.models.rollouts.ModelRegistryView;
import io.linesight.models.rollouts.RolloutRules;
import io.linesight.models.signing.TrustedKeys;
import io.linesight.models.storage.CheckpointStores;
import io.linesight.models.storage.ModelsConfig;
import io.linesight.schemas.DatasetSummary;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.GateOutcome;
import io.linesight.schemas.GateVerdict;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.topics.Topics;
import io.linesight.streams.InspectionApp;
import io.linesight.streams.StartupException;
import io.linesight.streams.config.InspectionConfig;
import io.linesight.streams.config.SettingsCheck;
import io.linesight.streams.routing.FollowedChannel;
import io.linesight.streams.routing.ModelControl;
import io.linesight.trainer.feedback.FrameFetcher;
import io.linesight.trainer.learning.TrainedChannel;
import io.linesight.trainer.learning.TrainerConfig;
import io.linesight.trainer.learning.TrainerService;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ScramCredentialInfo;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.clients.admin.UserScramCredentialUpsertion;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.testcontainers.junit.jupiter.Testcontainers;

/**
 * Shows that Linesight runs on a cluster that trusts nobody, with the rights that {@code doctor --acls} prints and no
 * others, and what is said when something about them is wrong.
 *
 * <p>Set-up: one broker with TLS, SASL/SCRAM-SHA-512 and ACLs; what no ACL allows is forbidden. Users {@code camera},
 * {@code inspect}, {@code trainer}. A second listener shows a certificate that expired five days ago.
 */
@Testcontainers(disabledWithoutDocker = true)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(600)
class SecurityIT {
    /** Users, and what {@code doctor --acls} says that they need. */
    private static final Map<String, List<AclBinding>> RIGHTS = Map.of(
            "camera",
            needs(Part.CAMERA, "camera"),
            "inspect",
            needs(Part.SERVE, "inspect"),
            "trainer",
            needs(Part.TRAIN, "trainer"));

    /** The printed kafka-acls commands, as the bindings that they make. */
    private static List<AclBinding> needs(Part part, String user) {
        Map<String, String> settings = Map.of("bootstrap.servers", "broker:9092");
        List<AclBinding> all = new ArrayList<>();
        for (String command : new Doctor(new DoctorOptions(
                        SettingsCheck.of(settings),
                        Topics.from(settings),
                        part,
                        true,
                        "linesight-inspection",
                        "linesight-trainer-default",
                        "cpu",
                        Map.of(),
                        true,
                        Duration.ofSeconds(1)))
                .aclCommands()) {
            List<String> words = List.of(command.split(" "));
            ResourceType type = words.contains("--topic")
                    ? ResourceType.TOPIC
                    : words.contains("--group") ? ResourceType.GROUP : ResourceType.TRANSACTIONAL_ID;
            String name = words.get(
                    words.indexOf("--" + type.name().toLowerCase(Locale.ROOT).replace('_', '-')) + 1);
            PatternType pattern = words.contains("prefixed") ? PatternType.PREFIXED : PatternType.LITERAL;
            for (int i = 0; i < words.size(); i++) {
                if (words.get(i).equals("--operation"))
                    all.add(binding(
                            user,
                            type,
                            name,
                            pattern,
                            AclOperation.fromString(words.get(i + 1).replaceAll("(?<=[a-z])(?=[A-Z])", "_"))));
            }
        }
        return all;
    }

    private static AclBinding binding(
            String user, ResourceType type, String name, PatternType pattern, AclOperation operation) {
        return new AclBinding(
                new ResourcePattern(type, name, pattern),
                new AccessControlEntry("User:" + user, "*", operation, AclPermissionType.ALLOW));
    }

    private KafkaCluster kafka;
    private Apicurio registry;
    private Line line;
    private Path trust;
    private Admin admin;

    @BeforeAll
    void start(@TempDir Path dir) throws Exception {
        Certificates certificates = new Certificates(dir);
        trust = certificates.trust();
        Map<String, String> env = new HashMap<>(Map.of(
                "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP",
                "INTERNAL:PLAINTEXT,DIRECT:PLAINTEXT,LINK:SASL_SSL,MORE:SASL_SSL,CONTROLLER:PLAINTEXT",
                "KAFKA_SASL_ENABLED_MECHANISMS",
                "SCRAM-SHA-512",
                "KAFKA_AUTHORIZER_CLASS_NAME",
                "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                // The plain listeners are the administrator's, in this test.
                "KAFKA_SUPER_USERS",
                "User:ANONYMOUS"));
        for (String listener : List.of("MORE", "LINK")) {
            env.put(
                    "KAFKA_LISTENER_NAME_" + listener + "_SSL_KEYSTORE_LOCATION",
                    "/etc/kafka/secrets/" + listener + ".p12");
            env.put("KAFKA_LISTENER_NAME_" + listener + "_SSL_KEYSTORE_TYPE", "PKCS12");
            env.put("KAFKA_LISTENER_NAME_" + listener + "_SSL_KEYSTORE_PASSWORD", Certificates.PASSWORD);
            env.put("KAFKA_LISTENER_NAME_" + listener + "_SSL_KEY_PASSWORD", Certificates.PASSWORD);
            env.put(
                    "KAFKA_LISTENER_NAME_" + listener + "_SCRAM___SHA___512_SASL_JAAS_CONFIG",
                    "org.apache.kafka.common.security.scram.ScramLoginModule required;");
        }
        registry = new Apicurio();
        Map<String, byte[]> stores = Map.of(
                "/etc/kafka/secrets/MORE.p12",
                certificates.server("good.p12", 1, 365),
                "/etc/kafka/secrets/LINK.p12",
                certificates.server("expired.p12", 10, 5));
        kafka = new KafkaCluster(1, null, i -> env, stores);
        line = new Line(kafka.bootstrapServers(), registry.url());
        admin = Admin.create(Map.<String, Object>of("bootstrap.servers", kafka.bootstrapServers()));
        for (String user : RIGHTS.keySet()) {
            admin.alterUserScramCredentials(List.of(new UserScramCredentialUpsertion(
                            user, new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096), user + "-secret")))
                    .all()
                    .get();
        }
    }

    @AfterAll
    void stop() {
        if (admin != null) admin.close();
        if (kafka != null) kafka.close();
        if (registry != null) registry.close();
    }

    /** Exactly the list. */
    @BeforeEach
    void grant() throws Exception {
        admin.deleteAcls(List.of(AclBindingFilter.ANY)).all().get();
        List<AclBinding> all = new ArrayList<>();
        RIGHTS.values().forEach(all::addAll);
        admin.createAcls(all).all().get();
    }

    private void revoke(AclBinding right) throws Exception {
        assertThat(admin.deleteAcls(List.of(right.toFilter())).all().get())
                .as("%s was given", right)
                .hasSize(1);
    }

    private static List<AclBinding> of(String user, ResourceType type) {
        return RIGHTS.get(user).stream()
                .filter(r -> r.pattern().resourceType() == type)
                .toList();
    }

    private static String topic(AclBinding right) {
        return right.pattern().name().replaceAll("^linesight\\.|\\.v1$", "");
    }

    private Map<String, String> as(String user, String password, String bootstrap) {
        return line.settings(
                "bootstrap.servers",
                bootstrap,
                "kafka.security.protocol",
                "SASL_SSL",
                "kafka.sasl.mechanism",
                "SCRAM-SHA-512",
                "kafka.sasl.jaas.config",
                "org.apache.kafka.common.security.scram.ScramLoginModule required username=\"" + user + "\" password=\""
                        + password + "\";",
                "kafka.ssl.truststore.location",
                trust.toString(),
                "kafka.ssl.truststore.password",
                Certificates.PASSWORD,
                "kafka.ssl.truststore.type",
                "PKCS12",
                "linesight.startup.timeout.ms",
                "30000");
    }

    private Map<String, String> as(String user) {
        return as(user, user + "-secret", kafka.more());
    }

    /** Settings for plain clients, as the command line makes them. */
    private static Map<String, String> plain(Map<String, String> settings) {
        Map<String, String> out = new HashMap<>();
        settings.forEach((k, v) -> out.put(k.startsWith("kafka.") ? k.substring("kafka.".length()) : k, v));
        return out;
    }

    /**
     * Steps: with exactly the listed rights a camera sends frames, an instance that follows rollouts inspects them, and
     * a trainer joins the channel and reads its labels.
     *
     * <p>Outcome: every frame has one result; nobody is refused anything.
     */
    @Test
    void shouldRunWithExactlyTheListedRights(@TempDir Path dir) throws Exception {
        Map<String, String> inspect = as("inspect");
        inspect.put("linesight.models.unsigned", "accept");
        try (FollowedChannel followed = FollowedChannel.open(inspect, "default", "line-1");
                InspectionApp app = new InspectionApp(
                        InspectionConfig.of(inspect), followed.control().withScorer(MeanScorer::new), null);
                FramePublisher camera = new FramePublisher(plain(as("camera")), line.topics, "line")) {
            app.start();
            assertThat(app.awaitRunning(Duration.ofSeconds(90)))
                    .as("%s %s", app.state(), app.failure())
                    .isTrue();
            for (int i = 0; i < 40; i++)
                camera.sendRaw("cam-1", line.serialized(Line.frame("cam-1", i, i % 4 == 0 ? 250 : 10)))
                        .get();
            Line.Books books = line.books(Duration.ofSeconds(60));
            assertThat(books.lost() + books.doubled() + books.outOfOrder() + books.deadLetters())
                    .as("%s", books)
                    .isZero();
            assertThat(books.frames()).isGreaterThanOrEqualTo(40);
            assertThat(app.failure()).isEmpty();

            Map<String, String> trainer = plain(as("trainer"));
            trainer.put("linesight.models.unsigned", "accept");
            try (TrainedChannel trained = TrainedChannel.open(
                            trainer,
                            new TrainedChannel.Options(
                                    dir.resolve("champion"), "kafka:", Optional.empty(), 0, "trainer"));
                    TrainerService service = new TrainerService(
                            TrainerConfig.of(trainer, dir).withGroup("linesight-trainer-default"),
                            trained,
                            trained,
                            e -> {})) {
                service.start();
                Awaitility.await("the trainer reads labels")
                        .atMost(Duration.ofSeconds(120))
                        .until(() -> stable("linesight-trainer-default"));
                assertThat(trained.current("default")).isEmpty();
                assertThat(service.failure()).isEmpty();
            }
        }
    }

    private boolean stable(String group) throws Exception {
        return admin.listGroups().all().get().stream()
                .anyMatch(g -> g.groupId().equals(group)
                        && g.groupState()
                                .map(s -> s.toString().equalsIgnoreCase("Stable"))
                                .orElse(false));
    }

    /**
     * Steps: for each topic that an instance without rollouts needs, the right to it is taken away and the instance
     * started.
     *
     * <p>Outcome: it does not start and says which right to which topic is missing.
     */
    @Test
    void shouldNameTheTopicThatMayNotBeUsed() throws Exception {
        for (AclBinding right : of("inspect", ResourceType.TOPIC)) {
            boolean main = right.entry().operation()
                    == (topic(right).equals("frames") ? AclOperation.READ : AclOperation.WRITE);
            if (!main
                    || !List.of("frames", "results", "anomalies", "dead-letter").contains(topic(right))) continue;
            revoke(right);
            assertThatThrownBy(() -> start(as("inspect")))
                    .as("%s", right)
                    .isInstanceOf(StartupException.class)
                    .hasMessageContaining(right.pattern().name());
            grant();
        }
    }

    /**
     * Steps: one after the other, each right that {@code serve} has to a topic is taken away, and what needs it is
     * done: an instance that follows rollouts is started; a published checkpoint is fetched; a decision is written.
     *
     * <p>Outcome: each is refused and the message names the topic. No right to a topic is listed that is not needed.
     */
    @Test
    void shouldNeedEachRightThatAnInstanceHasToATopic(@TempDir Path dir) throws Exception {
        ModelVersion published = publish(dir, "for-instances");
        Map<String, String> inspect = following("inspect");
        for (AclBinding right : of("inspect", ResourceType.TOPIC)) {
            // The inspection starts without what only alerts need.
            if (right.pattern().name().contains("alert")) continue;
            revoke(right);
            Throwable refused = catchThrowable(() -> {
                if (topic(right).equals("model-chunks")) {
                    try (CheckpointStores stores = CheckpointStores.open(ModelsConfig.of(plain(inspect)))) {
                        stores.fetch(published, dir.resolve("fetched"));
                    }
                    return;
                }
                try (FollowedChannel followed = FollowedChannel.open(inspect, "default", "line-1")) {
                    if (topic(right).equals("rollouts")) {
                        followed.decide(known -> RolloutRules.promote(
                                known, "default", published.getVersion(), Author.person("anna", "test"), true));
                        return;
                    }
                    try (InspectionApp app = new InspectionApp(
                            InspectionConfig.of(inspect), followed.control().withScorer(MeanScorer::new), null)) {
                        app.start();
                    }
                }
            });
            assertThat(refused)
                    .as("%s %s", right.entry().operation(), topic(right))
                    .isNotNull();
            assertThat(refused).hasMessageContaining(right.pattern().name());
            grant();
        }
    }

    /**
     * Steps: one after the other, each right that a trainer has is taken away, and it does what it is for: starts,
     * reads labels and samples results, fetches a frame, goes on from the champion, publishes a challenger and has it
     * tried.
     *
     * <p>Outcome: it is refused, and what it was refused is named.
     */
    @Test
    void shouldNeedEachRightThatATrainerHas(@TempDir Path dir) throws Exception {
        ModelVersion champion = publish(dir, "for-trainers");
        Map<String, String> trainer = plain(following("trainer"));
        try (FollowedChannel people =
                FollowedChannel.open(line.settings("linesight.models.unsigned", "accept"), "trained", "people")) {
            people.decide(known ->
                    RolloutRules.promote(known, "trained", champion.getVersion(), Author.person("anna", "test"), true));
        }
        line.write(List.of(line.serialized(Line.frame("cam-1", 0, 10))), i -> "cam-1");
        int challenger = 0;
        for (AclBinding right : RIGHTS.get("trainer")) {
            revoke(right);
            Path place = dir.resolve("without-" + challenger++);
            ModelVersion offered = ModelVersion.newBuilder(champion)
                    .setVersion("challenger-" + challenger)
                    .setChannel("trained")
                    .setGate(passed())
                    .build();
            Throwable refused = catchThrowable(() -> {
                try (FrameFetcher fetcher =
                        new FrameFetcher(trainer, line.topics, DecodeSettings.defaults(), Duration.ofSeconds(10))) {
                    fetcher.fetch(IntStream.range(0, 4)
                            .mapToObj(p -> new FrameRef(line.topics.frames().name(), p, 0L))
                            .toList());
                }
                try (TrainedChannel trained = TrainedChannel.open(
                        trainer,
                        new TrainedChannel.Options(
                                place.resolve("champion"), "kafka:", Optional.empty(), 10, "trainer"))) {
                    trained.current("trained");
                    trained.offer(checkpoint(dir, offered.getVersion()), offered);
                    try (TrainerService service =
                            new TrainerService(sampling(TrainerConfig.of(trainer, place)), trained, trained, e -> {})) {
                        service.start();
                        Awaitility.await("the trainer reads labels, or fails")
                                .atMost(Duration.ofSeconds(120))
                                .until(() -> service.failure().isPresent() || stable("linesight-trainer-default"));
                        if (service.failure().isPresent())
                            throw service.failure().get();
                    }
                }
            });
            // The status of a training is published beside it; the training does not need that.
            if (right.pattern().name().equals(line.topics.training().name()))
                assertThat(refused).as("without %s", right.pattern().name()).isNull();
            else
                assertThat(refused)
                        .as("%s %s", right.entry().operation(), right.pattern().name())
                        .isNotNull()
                        .hasStackTraceContaining(right.pattern().name());
            grant();
        }
    }

    private static TrainerConfig sampling(TrainerConfig config) {
        return config.withGroup("linesight-trainer-default").withSampling(new TrainerConfig.Sampling(1, 0.2, 10));
    }

    private static GateVerdict passed() {
        return GateVerdict.newBuilder()
                .setOutcome(GateOutcome.PASSED)
                .setReason("test")
                .build();
    }

    private static Path checkpoint(Path dir, String name) throws Exception {
        return Files.writeString(dir.resolve(name + ".onnx"), "stands for the checkpoint " + name);
    }

    /** By the administrator, for nobody yet. */
    private ModelVersion publish(Path dir, String version) throws Exception {
        ModelVersion draft = ModelVersion.newBuilder()
                .setVersion(version)
                .setChannel("default")
                .setSha256("00")
                .setBytes(0)
                .setCreatedAt(Instant.now().truncatedTo(ChronoUnit.MICROS))
                .setCreatedBy("anna")
                .setDataset(DatasetSummary.newBuilder().build())
                .setProducts(List.of())
                .setGate(passed())
                .build();
        ModelsConfig config = ModelsConfig.of(line.settings());
        try (ModelRegistry models = ModelRegistry.open(config);
                ModelRegistryView view = ModelRegistryView.open(config, TrustedKeys.unsignedAllowed());
                CheckpointStores stores = CheckpointStores.open(config)) {
            return new ModelPublisher(stores, models, view, Optional.empty(), Duration.ofSeconds(20))
                    .publish(checkpoint(dir, version), draft);
        }
    }

    private Map<String, String> following(String user) {
        Map<String, String> settings = as(user);
        settings.put("linesight.models.unsigned", "accept");
        settings.put("linesight.models.patience.ms", "4000");
        return settings;
    }

    /**
     * Steps: the right to the group, then that to the transactional id is taken away, and an instance started.
     *
     * <p>Outcome: it fails, and its failure names what it was refused.
     */
    @Test
    void shouldNameTheGroupAndTheTransactionalIdThatMayNotBeUsed() throws Exception {
        Map<String, String> few = as("inspect");
        few.put("linesight.thread.replacements", "0");
        revoke(of("inspect", ResourceType.GROUP).get(0));
        assertThat(failure(few))
                .contains("linesight-inspection")
                .containsIgnoringCase("group")
                .containsIgnoringCase("authoriz");
        grant();
        revoke(of("inspect", ResourceType.TRANSACTIONAL_ID).get(0));
        assertThat(failure(few)).containsIgnoringCase("transactional").containsIgnoringCase("authoriz");
    }

    /**
     * Steps: a camera that may not write the frames' topic sends one.
     *
     * <p>Outcome: it is told that it may not, with the topic's name; nothing is written.
     */
    @Test
    void shouldTellACameraThatItMayNotWrite() throws Exception {
        revoke(RIGHTS.get("camera").get(0));
        Throwable refused = catchThrowable(() -> {
            try (FramePublisher camera = new FramePublisher(plain(as("camera")), line.topics, "line")) {
                camera.sendRaw("cam-1", new byte[] {0}).get();
            }
        });
        assertThat(refused).hasStackTraceContaining("Not authorized to access topics: [linesight.frames.v1]");
    }

    /** Steps: a wrong password. Outcome: the start is refused at once, with that reason and without the password. */
    @Test
    void shouldSayThatThePasswordIsWrong() {
        assertThatThrownBy(() -> start(as("inspect", "not-the-secret", kafka.more())))
                .isInstanceOf(StartupException.class)
                .hasMessageContaining("does not accept these credentials")
                .hasMessageContaining("SCRAM-SHA-512")
                .hasMessageNotContaining("not-the-secret");
    }

    /** Steps: the broker shows a certificate that expired. Outcome: the start is refused, and says that this is why. */
    @Test
    void shouldSayThatTheCertificateIsExpired() {
        assertThatThrownBy(() -> start(as("inspect", "inspect-secret", kafka.link())))
                .isInstanceOf(StartupException.class)
                .hasMessageContaining("has expired")
                .hasMessageContaining("NotAfter");
    }

    private static void start(Map<String, String> settings) {
        try (InspectionApp app = new InspectionApp(
                InspectionConfig.of(settings), ModelControl.fixed().withScorer(MeanScorer::new), null)) {
            app.start();
        }
    }

    /** Starts an app that is expected to fail once it runs; what it says then. */
    private static String failure(Map<String, String> settings) throws InterruptedException {
        try (InspectionApp app = new InspectionApp(
                InspectionConfig.of(settings), ModelControl.fixed().withScorer(MeanScorer::new), null)) {
            app.start();
            assertThat(app.awaitEnd(Duration.ofSeconds(90))).as("it stops").isTrue();
            StringBuilder text = new StringBuilder();
            for (Throwable t = app.failure().orElseThrow(); t != null; t = t.getCause())
                text.append(t.getMessage()).append('\n');
            return text.toString();
        }
    }
}

package io.linesight.containers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.linesight.standalone.camera.FramePublisher;
import io.linesight.standalone.rollout.FollowedChannel;
import io.linesight.standalone.rollout.TrainedChannel;
import io.linesight.streams.InspectionApp;
import io.linesight.streams.InspectionConfig;
import io.linesight.streams.StartupException;
import io.linesight.trainer.service.TrainerConfig;
import io.linesight.trainer.service.TrainerService;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.testcontainers.junit.jupiter.Testcontainers;

/**
 * Shows that Linesight runs on a cluster that trusts nobody, with the rights that docs/operations.md lists and no others, and what is said when
 * something about them is wrong.
 *
 * <p>Set-up: one broker with TLS, SASL/SCRAM-SHA-512 and ACLs; what no ACL allows is forbidden. Users {@code camera}, {@code inspect}, {@code trainer}.
 * A second listener shows a certificate that expired five days ago.
 */
@Testcontainers(disabledWithoutDocker = true)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(300)
class SecurityIT {
    private static final String F = "linesight.";
    /** The table in docs/operations.md. */
    private static final Map<String, List<Right>> RIGHTS = Map.of(
            "camera", List.of(topic("frames", "WRITE")),
            "inspect", List.of(topic("frames", "READ", "DESCRIBE_CONFIGS"), topic("results", "WRITE", "DESCRIBE_CONFIGS"), topic("anomalies", "WRITE", "DESCRIBE_CONFIGS"),
                    topic("dead-letter", "WRITE", "DESCRIBE_CONFIGS"), topic("shadow", "WRITE", "DESCRIBE_CONFIGS"), topic("model-status", "READ", "WRITE", "DESCRIBE_CONFIGS"),
                    topic("models", "READ"), topic("model-chunks", "READ"), topic("rollouts", "READ", "WRITE"),
                    new Right(ResourceType.GROUP, "linesight-inspection", PatternType.LITERAL, List.of("READ")),
                    new Right(ResourceType.TRANSACTIONAL_ID, "linesight-inspection-", PatternType.PREFIXED, List.of("WRITE", "DESCRIBE"))),
            "trainer", List.of(topic("labels", "READ"), topic("frames", "READ"), topic("results", "READ"), topic("models", "READ", "WRITE"), topic("model-chunks", "READ", "WRITE"),
                    topic("rollouts", "READ", "WRITE"), topic("model-status", "READ"), new Right(ResourceType.GROUP, "linesight-trainer-default", PatternType.LITERAL, List.of("READ"))));

    private record Right(ResourceType type, String name, PatternType pattern, List<String> operations) {
        List<AclBinding> bindings(String user) {
            return operations.stream().map(o -> new AclBinding(new ResourcePattern(type, name, pattern),
                    new AccessControlEntry("User:" + user, "*", AclOperation.fromString(o), AclPermissionType.ALLOW))).toList();
        }
    }

    private static Right topic(String name, String... operations) {
        return new Right(ResourceType.TOPIC, F + name + ".v1", PatternType.LITERAL, List.of(operations));
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
        Map<String, String> env = new HashMap<>(Map.of("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP", "INTERNAL:PLAINTEXT,DIRECT:PLAINTEXT,LINK:SASL_SSL,MORE:SASL_SSL,CONTROLLER:PLAINTEXT",
                "KAFKA_SASL_ENABLED_MECHANISMS", "SCRAM-SHA-512", "KAFKA_AUTHORIZER_CLASS_NAME", "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                // The plain listeners are the administrator's, in this test.
                "KAFKA_SUPER_USERS", "User:ANONYMOUS"));
        for (String listener : List.of("MORE", "LINK")) {
            env.put("KAFKA_LISTENER_NAME_" + listener + "_SSL_KEYSTORE_LOCATION", "/etc/kafka/secrets/" + listener + ".p12");
            env.put("KAFKA_LISTENER_NAME_" + listener + "_SSL_KEYSTORE_TYPE", "PKCS12");
            env.put("KAFKA_LISTENER_NAME_" + listener + "_SSL_KEYSTORE_PASSWORD", Certificates.PASSWORD);
            env.put("KAFKA_LISTENER_NAME_" + listener + "_SSL_KEY_PASSWORD", Certificates.PASSWORD);
            env.put("KAFKA_LISTENER_NAME_" + listener + "_SCRAM___SHA___512_SASL_JAAS_CONFIG", "org.apache.kafka.common.security.scram.ScramLoginModule required;");
        }
        registry = new Apicurio();
        Map<String, byte[]> stores = Map.of("/etc/kafka/secrets/MORE.p12", certificates.server("good.p12", 1, 365),
                "/etc/kafka/secrets/LINK.p12", certificates.server("expired.p12", 10, 5));
        kafka = new KafkaCluster(1, null, i -> env, stores);
        line = new Line(kafka.bootstrapServers(), registry.url());
        admin = Admin.create(Map.<String, Object>of("bootstrap.servers", kafka.bootstrapServers()));
        for (String user : RIGHTS.keySet()) {
            admin.alterUserScramCredentials(List.of(new UserScramCredentialUpsertion(user, new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096), user + "-secret"))).all().get();
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
        RIGHTS.forEach((user, rights) -> rights.forEach(r -> all.addAll(r.bindings(user))));
        admin.createAcls(all).all().get();
    }

    private void revoke(String user, Right right) throws Exception {
        admin.deleteAcls(right.bindings(user).stream().map(AclBinding::toFilter).toList()).all().get();
    }

    private Map<String, String> as(String user, String password, String bootstrap) {
        return line.settings("bootstrap.servers", bootstrap, "kafka.security.protocol", "SASL_SSL", "kafka.sasl.mechanism", "SCRAM-SHA-512",
                "kafka.sasl.jaas.config", "org.apache.kafka.common.security.scram.ScramLoginModule required username=\"" + user + "\" password=\"" + password + "\";",
                "kafka.ssl.truststore.location", trust.toString(), "kafka.ssl.truststore.password", Certificates.PASSWORD, "kafka.ssl.truststore.type", "PKCS12",
                "linesight.startup.timeout.ms", "30000");
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
     * Steps: with exactly the listed rights a camera sends frames, an instance that follows rollouts inspects them, and a trainer joins the channel and
     * reads its labels.
     *
     * <p>Outcome: every frame has one result; nobody is refused anything.
     */
    @Test
    void shouldRunWithExactlyTheListedRights(@TempDir Path dir) throws Exception {
        Map<String, String> inspect = as("inspect");
        inspect.put("linesight.models.unsigned", "accept");
        try (FollowedChannel followed = FollowedChannel.open(inspect, "default", "line-1");
                InspectionApp app = new InspectionApp(InspectionConfig.of(inspect), null, new MeanScorer(), followed.control());
                FramePublisher camera = new FramePublisher(plain(as("camera")), line.topics, "line")) {
            app.start();
            assertThat(app.awaitRunning(Duration.ofSeconds(90))).as("%s %s", app.state(), app.failure()).isTrue();
            for (int i = 0; i < 40; i++) camera.sendRaw("cam-1", line.serialized(Line.frame("cam-1", i, i % 4 == 0 ? 250 : 10))).get();
            Line.Books books = line.books(Duration.ofSeconds(60));
            assertThat(books.lost() + books.doubled() + books.outOfOrder() + books.deadLetters()).as("%s", books).isZero();
            assertThat(books.frames()).isGreaterThanOrEqualTo(40);
            assertThat(app.failure()).isEmpty();

            Map<String, String> trainer = plain(as("trainer"));
            trainer.put("linesight.models.unsigned", "accept");
            try (TrainedChannel trained = TrainedChannel.open(trainer, new TrainedChannel.Options(dir.resolve("champion"), "kafka:", Optional.empty(), 0, "trainer"));
                    TrainerService service = new TrainerService(TrainerConfig.of(trainer, dir).withGroup("linesight-trainer-default"), trained, trained, e -> { })) {
                service.start();
                for (int i = 0; i < 60 && !stable("linesight-trainer-default"); i++) Thread.sleep(500);
                assertThat(stable("linesight-trainer-default")).as("the trainer reads labels").isTrue();
                assertThat(trained.current("default")).isEmpty();
                assertThat(service.failure()).isEmpty();
            }
        }
    }

    private boolean stable(String group) throws Exception {
        return admin.listGroups().all().get().stream().anyMatch(g -> g.groupId().equals(group) && g.groupState().map(s -> s.toString().equalsIgnoreCase("Stable")).orElse(false));
    }

    /**
     * Steps: for each topic that an instance without rollouts needs, the right to it is taken away and the instance started.
     *
     * <p>Outcome: it does not start and says which right to which topic is missing.
     */
    @Test
    void shouldNameTheTopicThatMayNotBeUsed() throws Exception {
        for (Right right : List.of(topic("frames", "READ"), topic("results", "WRITE"), topic("anomalies", "WRITE"), topic("dead-letter", "WRITE"))) {
            revoke("inspect", right);
            assertThatThrownBy(() -> start(as("inspect"))).as("%s", right).isInstanceOf(StartupException.class).hasMessageContaining(right.name());
            grant();
        }
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
        revoke("inspect", new Right(ResourceType.GROUP, "linesight-inspection", PatternType.LITERAL, List.of("READ")));
        assertThat(failure(few)).contains("linesight-inspection").containsIgnoringCase("group").containsIgnoringCase("authoriz");
        grant();
        revoke("inspect", new Right(ResourceType.TRANSACTIONAL_ID, "linesight-inspection-", PatternType.PREFIXED, List.of("WRITE", "DESCRIBE")));
        assertThat(failure(few)).containsIgnoringCase("transactional").containsIgnoringCase("authoriz");
    }

    /**
     * Steps: a camera that may not write the frames' topic sends one.
     *
     * <p>Outcome: it is told that it may not, with the topic's name; nothing is written.
     */
    @Test
    void shouldTellACameraThatItMayNotWrite() throws Exception {
        revoke("camera", topic("frames", "WRITE"));
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
        assertThatThrownBy(() -> start(as("inspect", "not-the-secret", kafka.more()))).isInstanceOf(StartupException.class)
                .hasMessageContaining("does not accept these credentials").hasMessageContaining("SCRAM-SHA-512").hasMessageNotContaining("not-the-secret");
    }

    /** Steps: the broker shows a certificate that expired. Outcome: the start is refused, and says that this is why. */
    @Test
    void shouldSayThatTheCertificateIsExpired() {
        assertThatThrownBy(() -> start(as("inspect", "inspect-secret", kafka.link()))).isInstanceOf(StartupException.class)
                .hasMessageContaining("has expired").hasMessageContaining("NotAfter");
    }

    private static void start(Map<String, String> settings) {
        try (InspectionApp app = new InspectionApp(InspectionConfig.of(settings), null, new MeanScorer())) {
            app.start();
        }
    }

    /** Starts an app that is expected to fail once it runs; what it says then. */
    private static String failure(Map<String, String> settings) throws InterruptedException {
        try (InspectionApp app = new InspectionApp(InspectionConfig.of(settings), null, new MeanScorer())) {
            app.start();
            assertThat(app.awaitEnd(Duration.ofSeconds(90))).as("it stops").isTrue();
            StringBuilder text = new StringBuilder();
            for (Throwable t = app.failure().orElseThrow(); t != null; t = t.getCause()) text.append(t.getMessage()).append('\n');
            return text.toString();
        }
    }
}

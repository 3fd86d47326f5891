package io.linesight.app.channels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.linesight.embedded.EmbeddedKafka;
import io.linesight.embedded.EmbeddedRegistry;
import io.linesight.embedded.SharedPlatform;
import io.linesight.models.rollouts.Author;
import io.linesight.models.rollouts.ChannelState;
import io.linesight.models.rollouts.PublishedVersion;
import io.linesight.models.rollouts.RolloutException;
import io.linesight.models.rollouts.RolloutRules;
import io.linesight.models.signing.CheckpointSigner;
import io.linesight.models.signing.KeyFiles;
import io.linesight.models.storage.CheckpointStoreException;
import io.linesight.models.storage.ModelsConfig;
import io.linesight.schemas.DatasetSummary;
import io.linesight.schemas.GateOutcome;
import io.linesight.schemas.GateVerdict;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.Rollout;
import io.linesight.schemas.RolloutAction;
import io.linesight.schemas.RolloutMode;
import io.linesight.schemas.topics.TopicAdmin;
import io.linesight.schemas.topics.Topics;
import io.linesight.streams.ChildJvm;
import io.linesight.streams.Desk;
import io.linesight.streams.routing.FollowedChannel;
import io.linesight.streams.routing.ModelControl;
import io.linesight.streams.serving.ModelRejectedException;
import io.linesight.streams.serving.RolloutDecision.Action;
import io.linesight.trainer.learning.Champion;
import io.linesight.trainer.learning.TrainedChannel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What joins a trainer and an inspection app to the model registry, on a real broker. */
@Timeout(600)
class ChannelsIT {
    @TempDir
    static Path data;

    private static EmbeddedKafka kafka;
    private static EmbeddedRegistry schemas;
    private static CheckpointSigner signer;
    private static Path publicKey;

    @TempDir
    Path dir;

    private Map<String, String> settings;
    private TrainedChannel trained;
    private FollowedChannel followed;

    @BeforeAll
    static void startPlatform() throws Exception {
        kafka = SharedPlatform.kafka();
        schemas = SharedPlatform.registry();
        publicKey = data.resolve("line.pub");
        KeyFiles.generate(data.resolve("line.key"), publicKey);
        signer = CheckpointSigner.load(data.resolve("line.key"));
    }

    @BeforeEach
    void open(TestInfo test) throws Exception {
        settings = new HashMap<>(Map.of(
                "bootstrap.servers",
                kafka.bootstrapServers(),
                "schema.registry.url",
                schemas.url(),
                Topics.PREFIX_CONFIG,
                "channels." + test.getTestMethod().orElseThrow().getName(),
                ModelsConfig.TRUSTED_KEYS,
                publicKey.toString(),
                ModelsConfig.TIMEOUT_MS,
                "20000"));
        Topics topics = Topics.from(settings);
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()))) {
            TopicAdmin.ensure(
                    admin, List.of(topics.models(), topics.modelChunks(), topics.rollouts(), topics.modelStatus()));
        }
        trained = TrainedChannel.open(
                settings,
                new TrainedChannel.Options(dir.resolve("champion"), "kafka:", Optional.of(signer), 25, "trainer-1"));
        followed = FollowedChannel.open(settings, "line", "line-7");
    }

    @AfterEach
    void close() {
        followed.close();
        trained.close();
    }

    private Path checkpoint(int seed) throws IOException {
        return checkpoint(seed, 2_000_000); // three chunks
    }

    private Path checkpoint(int seed, int size) throws IOException {
        byte[] bytes = new byte[size];
        new Random(seed).nextBytes(bytes);
        return Files.write(dir.resolve(seed + ".onnx"), bytes);
    }

    static ModelVersion draft(String version, GateOutcome gate, String reason) {
        return ModelVersion.newBuilder()
                .setVersion(version)
                .setChannel("line")
                .setSha256("00")
                .setBytes(0)
                .setCreatedAt(Instant.now().truncatedTo(ChronoUnit.MICROS))
                .setCreatedBy("trainer-1")
                .setDataset(DatasetSummary.newBuilder().build())
                .setProducts(List.of())
                .setGate(GateVerdict.newBuilder()
                        .setOutcome(gate)
                        .setReason(reason)
                        .build())
                .build();
    }

    private ChannelState channel() throws InterruptedException {
        assertThat(followed.view().awaitCaughtUp(java.time.Duration.ofSeconds(20)))
                .isTrue();
        return followed.view().state().channel("line");
    }

    private Rollout promote(String version) throws Exception {
        return followed.decide(
                known -> RolloutRules.promote(known, "line", version, Author.person("anna", "r"), false));
    }

    @Test
    void shouldPublishWhatWasTrainedAndLetItScoreBesideTheChampion() throws Exception {
        assertThat(trained.current("line")).as("no champion yet").isEmpty();
        trained.offer(checkpoint(1), draft("v1", GateOutcome.NOT_JUDGED, "by hand"));
        assertThat(channel().inForce())
                .as("not judged, so nothing is decided by a program")
                .isEmpty();
        promote("v1");
        Champion champion = trained.current("line").orElseThrow();
        assertThat(champion.version()).isEqualTo("v1");
        assertThat(champion.file()).hasSameBinaryContentAs(dir.resolve("1.onnx"));

        trained.offer(checkpoint(2), draft("v2", GateOutcome.PASSED, "fewer false alarms"));
        Rollout shadow = channel().inForce().orElseThrow();
        assertThat(shadow)
                .extracting(
                        Rollout::getMode,
                        Rollout::getChampion,
                        Rollout::getChallenger,
                        Rollout::getPercent,
                        Rollout::getBy,
                        Rollout::getAutomatic,
                        Rollout::getReason)
                .containsExactly(RolloutMode.SHADOW, "v1", "v2", 25.0, "trainer-1", true, "fewer false alarms");
        PublishedVersion v2 = followed.view().state().version("v2").orElseThrow();
        assertThat(v2.verification().accepted()).isTrue();
        assertThat(v2.manifest().getKeyId()).isEqualTo(signer.keyId());
        assertThat(v2.manifest().getChunks()).isEqualTo(3);

        // Killed before it was noted, the trainer hands over again.
        trained.offer(dir.resolve("2.onnx"), draft("v2", GateOutcome.PASSED, "fewer false alarms"));
        assertThat(channel().revision()).as("no second decision").isEqualTo(shadow.getRevision());

        promote("v2");
        assertThat(trained.current("line").orElseThrow().version()).isEqualTo("v2");
        try (Stream<Path> kept = Files.list(dir.resolve("champion"))) {
            assertThat(kept).as("champions of before are not kept").hasSize(1);
        }
    }

    private long chunks() {
        TopicPartition chunks =
                new TopicPartition(Topics.from(settings).modelChunks().name(), 0);
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", kafka.bootstrapServers()),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
            return consumer.endOffsets(List.of(chunks)).get(chunks);
        }
    }

    private ChildJvm uploading(Path file, String version) throws IOException {
        return new ChildJvm(
                dir.resolve(version + ".log"),
                UploadingProcess.class,
                kafka.bootstrapServers(),
                schemas.url(),
                settings.get(Topics.PREFIX_CONFIG),
                file.toString(),
                version);
    }

    /**
     * Killed while chunks are written, and dead between the last chunk and the manifest: nobody sees anything, and the
     * next attempt is whole.
     */
    @Test
    void shouldShowNothingWhenTheTrainerDiesBeforeTheManifest() throws Exception {
        Path large = checkpoint(5, 150_000_000);
        long all = 150_000_000 / Topics.MODEL_CHUNK_BYTES + 1;
        try (ChildJvm trainer = uploading(large, "v5")) {
            Awaitility.await("chunks")
                    .atMost(Desk.TIMEOUT)
                    .pollInterval(java.time.Duration.ofMillis(5))
                    .until(() -> chunks() >= 3);
            trainer.kill();
            assertThat(chunks())
                    .as("in the middle of %s chunks\n%s", all, trainer.said())
                    .isBetween(3L, all - 1);
        }
        long before = chunks();
        Path small = checkpoint(6);
        try (ChildJvm trainer = uploading(small, "v6")) {
            assertThat(trainer.awaitExit()).as(trainer.said()).isEqualTo(UploadingProcess.HALTED);
        }
        assertThat(chunks()).as("its three chunks are there").isEqualTo(before + 3);
        channel();
        assertThat(followed.view().state().versions()).isEmpty();
        trained.offer(small, draft("v6", GateOutcome.NOT_JUDGED, ""));
        channel();
        assertThat(followed.view().state().versions()).containsOnlyKeys("v6");
        Path folder = Files.createDirectory(dir.resolve("download"));
        assertThat(followed.control()
                        .source()
                        .fetch(
                                followed.view()
                                        .state()
                                        .version("v6")
                                        .orElseThrow()
                                        .manifest(),
                                folder))
                .hasSameBinaryContentAs(small);
    }

    @Test
    void shouldPublishWhatFailedItsGateForPeopleToReadAndNothingMore() throws Exception {
        trained.offer(checkpoint(1), draft("v1", GateOutcome.NOT_JUDGED, ""));
        Rollout first = promote("v1");
        trained.offer(checkpoint(3), draft("v3", GateOutcome.FAILED, "worse than v1: flange: misses 4 of 10"));
        assertThat(channel().revision()).isEqualTo(first.getRevision());
        assertThat(followed.view()
                        .state()
                        .version("v3")
                        .orElseThrow()
                        .manifest()
                        .getGate()
                        .getReason())
                .contains("misses 4 of 10");
        assertThatThrownBy(() -> promote("v3"))
                .isInstanceOf(RolloutException.class)
                .hasMessageContaining("v3 failed its gate: worse than v1: flange: misses 4 of 10");
    }

    @Test
    void shouldLeaveAPinnedChannelAlone() throws Exception {
        trained.offer(checkpoint(1), draft("v1", GateOutcome.NOT_JUDGED, ""));
        promote("v1");
        Rollout pin = followed.decide(known -> RolloutRules.pin(known, "line", Author.person("anna", "audit")));
        trained.offer(checkpoint(2), draft("v2", GateOutcome.PASSED, ""));
        assertThat(channel().revision()).isEqualTo(pin.getRevision());
        assertThat(followed.view().state().version("v2"))
                .as("it is published all the same")
                .isPresent();
    }

    @Test
    void shouldGiveAnAppWhatItNeeds() throws Exception {
        ModelControl control = followed.control();
        AtomicInteger told = new AtomicInteger();
        assertThat(control.feed().current()).isEmpty();
        assertThat(control.feed().champions()).isEmpty();
        try (var subscription = control.feed().listen(told::incrementAndGet)) {
            trained.offer(checkpoint(1), draft("v1", GateOutcome.NOT_JUDGED, ""));
            Awaitility.await("the version")
                    .atMost(Desk.TIMEOUT)
                    .until(() -> control.feed().version("v1").isPresent());
            assertThat(told.get()).as("told of a manifest").isPositive();
        }
        trained.offer(checkpoint(2), draft("v2", GateOutcome.PASSED, ""));
        promote("v1");
        promote("v2");
        Rollout back = followed.decide(known -> RolloutRules.rollback(known, "line", Author.person("anna", "")));
        assertThat(control.feed().current()).contains(back);
        assertThat(control.feed().champions()).containsExactly("v1", "v2");
        ModelVersion v1 = control.feed().version("v1").orElseThrow();
        control.trust().check(v1);
        Path folder = Files.createDirectory(dir.resolve("download"));
        assertThat(control.source().fetch(v1, folder)).hasSameBinaryContentAs(dir.resolve("1.onnx"));
        assertThatThrownBy(() -> control.trust()
                        .check(ModelVersion.newBuilder(v1)
                                .setSha256("11".repeat(32))
                                .build()))
                .isInstanceOf(ModelRejectedException.class)
                .hasMessageContaining("does not fit");
        assertThatThrownBy(() -> control.source()
                        .fetch(
                                ModelVersion.newBuilder(v1)
                                        .setSha256("11".repeat(32))
                                        .build(),
                                folder))
                .isInstanceOf(CheckpointStoreException.class)
                .hasMessageContaining("publish it again");
    }

    @Test
    void shouldDecideForAGuardUnlessThingsHaveChanged() throws Exception {
        ModelControl control = followed.control();
        trained.offer(checkpoint(1), draft("v1", GateOutcome.NOT_JUDGED, ""));
        promote("v1");
        trained.offer(checkpoint(2), draft("v2", GateOutcome.PASSED, ""));
        long shadow = channel().revision();
        control.decision().ask(Action.WITHDRAW, shadow - 1, "v2", "out of date");
        assertThat(channel().revision())
                .as("another decision is in force meanwhile")
                .isEqualTo(shadow);
        control.decision().ask(Action.WITHDRAW, shadow, "v2", "guard: it returns NaN");
        Rollout withdrawn = channel().inForce().orElseThrow();
        assertThat(withdrawn)
                .extracting(
                        Rollout::getAction,
                        Rollout::getChallenger,
                        Rollout::getBy,
                        Rollout::getAutomatic,
                        Rollout::getReason)
                .containsExactly(RolloutAction.WITHDRAW, null, "line-7, guard", true, "guard: it returns NaN");

        long second = promote("v2").getRevision();
        control.decision().ask(Action.ROLLBACK, second, "v2", "guard: slow");
        assertThat(channel().inForce().orElseThrow())
                .extracting(Rollout::getAction, Rollout::getChampion)
                .containsExactly(RolloutAction.ROLLBACK, "v1");

        promote("v2");
        long pinned = followed.decide(known -> RolloutRules.pin(known, "line", Author.person("anna", "")))
                .getRevision();
        control.decision().ask(Action.ROLLBACK, pinned, "v2", "guard: slow");
        assertThat(channel().revision())
                .as("nothing is decided for a pinned channel, and the guard does not ask for ever")
                .isEqualTo(pinned);
    }

    @Test
    void shouldSayWhatIsMissingAndLeaveNothingOpen() {
        Map<String, String> nobody = new HashMap<>(settings);
        nobody.remove(ModelsConfig.TRUSTED_KEYS);
        assertThatThrownBy(() -> FollowedChannel.open(nobody, "line", "i"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(ModelsConfig.TRUSTED_KEYS);
        Map<String, String> lost = new HashMap<>(settings);
        lost.put(ModelsConfig.TRUSTED_KEYS, dir.resolve("lost.pub").toString());
        assertThatThrownBy(() -> FollowedChannel.open(lost, "line", "i"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("lost.pub");
        Map<String, String> bare = new HashMap<>(settings);
        bare.put(Topics.PREFIX_CONFIG, "elsewhere");
        assertThatThrownBy(() -> FollowedChannel.open(bare, "line", "i"))
                .isInstanceOf(KafkaException.class)
                .hasMessageContaining("has no topic")
                .hasMessageContaining("linesight topics");
        Map<String, String> silent = new HashMap<>(settings);
        silent.put("schema.registry.url", "http://127.0.0.1:1");
        silent.put("max.retries", "0");
        silent.put(ModelsConfig.TIMEOUT_MS, "5000");
        assertThatThrownBy(() -> {
                    trained.offer(checkpoint(1), draft("v1", GateOutcome.NOT_JUDGED, ""));
                    FollowedChannel.open(silent, "line", "i");
                })
                .isInstanceOf(KafkaException.class)
                .hasMessageContaining("schema registry does not answer");
        assertThatThrownBy(() -> TrainedChannel.open(
                        settings, new TrainedChannel.Options(dir, "ftp://x", Optional.empty(), 0, "t")))
                .isInstanceOf(CheckpointStoreException.class)
                .hasMessageContaining("no store");
        assertThat(Thread.getAllStackTraces().keySet().stream()
                        .filter(t -> t.getName().equals("linesight-model-registry") && t.isAlive()))
                .as("views of this test's own two channels")
                .hasSize(2);
    }
}

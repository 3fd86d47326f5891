package io.linesight.streams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.linesight.embedded.SharedPlatform;
import io.linesight.schemas.DatasetSummary;
import io.linesight.schemas.GateOutcome;
import io.linesight.schemas.GateVerdict;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.ModelState;
import io.linesight.schemas.ModelStatus;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.Rollout;
import io.linesight.schemas.RolloutAction;
import io.linesight.schemas.RolloutMode;
import io.linesight.schemas.ShadowDifference;
import io.linesight.schemas.serde.AvroSerde;
import io.linesight.streams.config.InspectionConfig;
import io.linesight.streams.monitoring.InspectionMetrics;
import io.linesight.streams.routing.ModelControl;
import io.linesight.streams.serving.RolloutFeed;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.apache.avro.specific.SpecificRecord;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * One instance follows a channel from its configured checkpoint through shadow, canary and promotion while cameras keep
 * sending.
 */
@Timeout(600)
class RolloutIT {

    private static final int CAMERAS = 4;
    private static final String APPLICATION = "rollout";
    private static final byte[] BYTES = ToyCheckpoint.bytes();

    /** The decisions of a channel, in memory. */
    private static final class Channel implements RolloutFeed {
        private final Map<String, ModelVersion> versions = new ConcurrentHashMap<>();
        private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
        private volatile Rollout rollout;

        void publish(String version, String sha256) {
            versions.put(
                    version,
                    ModelVersion.newBuilder()
                            .setVersion(version)
                            .setChannel("default")
                            .setSha256(sha256)
                            .setBytes(BYTES.length)
                            .setCreatedAt(Instant.now())
                            .setCreatedBy("test")
                            .setDataset(new DatasetSummary("", 0, 0))
                            .setProducts(List.of())
                            .setGate(new GateVerdict(GateOutcome.PASSED, "", 0.0, null))
                            .setSignature(ByteBuffer.allocate(0))
                            .build());
        }

        void decide(RolloutAction action, RolloutMode mode, String champion, String challenger) {
            long revision = rollout == null ? 1 : rollout.getRevision() + 1;
            rollout = Rollout.newBuilder()
                    .setChannel("default")
                    .setRevision(revision)
                    .setBasedOn(revision - 1)
                    .setAction(action)
                    .setMode(mode)
                    .setChampion(champion)
                    .setChallenger(challenger)
                    .setCameras(List.of("cam1"))
                    .setBy("test")
                    .setAt(Instant.now())
                    .build();
            listeners.forEach(Runnable::run);
        }

        @Override
        public Optional<Rollout> current() {
            return Optional.ofNullable(rollout);
        }

        @Override
        public List<String> champions() {
            return current()
                    .map(r -> r.getPrevious() == null
                            ? List.of(r.getChampion())
                            : List.of(r.getChampion(), r.getPrevious()))
                    .orElse(List.of());
        }

        @Override
        public Optional<ModelVersion> version(String version) {
            return Optional.ofNullable(versions.get(version));
        }

        @Override
        public Subscription listen(Runnable changed) {
            listeners.add(changed);
            return () -> listeners.remove(changed);
        }
    }

    private static void await(BooleanSupplier condition, String what) {
        Awaitility.await(what)
                .atMost(Desk.TIMEOUT)
                .pollInterval(Duration.ofMillis(10))
                .until(condition::getAsBoolean);
    }

    /** Waits until every camera has sent frames that were routed, scored and committed after this call. */
    private static void awaitFramesOfEveryCamera(Line line, AtomicLong rounds) {
        // The round in progress may have been routed before.
        line.awaitCommitted(APPLICATION, CAMERAS * (rounds.get() + 2), Desk.TIMEOUT);
    }

    private static <T extends SpecificRecord> List<T> read(
            Line line, io.linesight.schemas.topics.TopicSpec topic, Class<T> type) {
        AvroSerde<T> serde = AvroSerde.of(type, Map.of("schema.registry.url", line.registryUrl()), false);
        return line.read(topic, "read_committed").stream()
                .map(r -> serde.deserializer().deserialize(r.topic(), r.value()))
                .toList();
    }

    @Test
    void shouldFollowAChannelWithoutLosingAFrame(@TempDir Path folder) throws Exception {
        String sha =
                HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(BYTES));
        Channel channel = new Channel();
        for (String version : List.of("v1", "v2")) channel.publish(version, sha);
        channel.publish("forged", "00");
        ModelControl control = new ModelControl(
                channel,
                (version, directory) -> Files.write(directory.resolve("m.onnx"), BYTES),
                version -> {},
                (rollout, camera, product, frame) -> rollout.getCameras().contains(camera),
                (rollout, camera, product, frame) -> frame.getOffset() % 2 == 0,
                (action, basedOn, version, reason) -> {});
        try (Line line = new Line(SharedPlatform.kafka(), SharedPlatform.registry(), APPLICATION, CAMERAS)) {
            InspectionConfig config = config(line, folder);
            AtomicLong rounds = new AtomicLong();
            Runnable shoot = () -> {
                for (int c = 0; c < CAMERAS; c++)
                    line.send(c, Line.frame("cam" + c, rounds.get(), 20).build());
                rounds.incrementAndGet();
            };
            try (InspectionApp app = new InspectionApp(config, control.withScorer(MeanScorer::new), null)) {
                app.start();
                assertThat(app.awaitRunning(Duration.ofSeconds(60))).isTrue();
                assertThat(app.modelVersion()).contains("mean-1");
                Pace cameras = Pace.of("cameras", Duration.ofMillis(40), shoot);
                rollOut(channel, app, line, rounds);
                cameras.close();
                line.flush();
                line.awaitCommitted(APPLICATION, CAMERAS * rounds.get(), Desk.TIMEOUT);
                assertThat(app.meters()
                                .get(InspectionMetrics.MODEL_INFO)
                                .tag("role", "CHAMPION")
                                .tag("version", "v2")
                                .gauge()
                                .value())
                        .isEqualTo(1);
                assertThat(app.close(Duration.ofSeconds(30))).isTrue();
            }
            checkResults(line, rounds.get());
            checkShadow(line);
            checkStatuses(line);

            // A new instance comes up on the champion, without a checkpoint file; on one that cannot be served it does
            // not come up.
            try (InspectionApp app = new InspectionApp(config, control, null)) {
                app.start();
                assertThat(app.modelVersion()).contains("v2");
            }
            channel.decide(RolloutAction.PROMOTE, RolloutMode.ACTIVE, "forged", null);
            InspectionApp app = new InspectionApp(config, control, null);
            assertThatThrownBy(app::start)
                    .isInstanceOf(StartupException.class)
                    .hasMessageContaining("forged")
                    .hasMessageContaining("checksum");
        }
    }

    private static InspectionConfig config(Line line, Path folder) {
        return InspectionConfig.of(line.settings(
                "application.id",
                APPLICATION,
                "linesight.device",
                "cpu",
                "linesight.scorer.threads",
                "1",
                "linesight.models.dir",
                folder.resolve("models").toString(),
                "linesight.models.instance",
                "it-0",
                "linesight.guard.anomaly.jump",
                "1",
                "linesight.thumbnail",
                "false",
                "linesight.rollout.probation.ms",
                "0",
                "linesight.guard.latency.ratio",
                "0"));
    }

    /** A promotion, a shadow, a canary, a forged version that is rejected, and a promotion again. */
    private static void rollOut(Channel channel, InspectionApp app, Line line, AtomicLong rounds) throws Exception {
        awaitFramesOfEveryCamera(line, rounds);
        channel.decide(RolloutAction.PROMOTE, RolloutMode.ACTIVE, "v1", null);
        await(() -> app.modelVersion().orElse("").equals("v1"), "v1 decides");
        awaitFramesOfEveryCamera(line, rounds);
        channel.decide(RolloutAction.SHADOW, RolloutMode.SHADOW, "v1", "v2");
        await(() -> app.meters().counter(InspectionMetrics.SHADOW_SAMPLES).count() > 5, "shadow samples");
        channel.decide(RolloutAction.CANARY, RolloutMode.CANARY, "v1", "v2");
        await(() -> app.servingPlan().orElseThrow().canary(), "canary");
        awaitFramesOfEveryCamera(line, rounds);
        channel.decide(RolloutAction.PROMOTE, RolloutMode.ACTIVE, "forged", null);
        await(
                () -> app.meters().counter(InspectionMetrics.MODEL_REJECTIONS).count() == 1,
                "the forged one is rejected");
        assertThat(app.modelVersion()).contains("v1");
        // Every camera is back at the champion; otherwise one may never be seen there.
        awaitFramesOfEveryCamera(line, rounds);
        channel.decide(RolloutAction.PROMOTE, RolloutMode.ACTIVE, "v2", null);
        await(() -> app.modelVersion().orElse("").equals("v2"), "v2 decides");
        awaitFramesOfEveryCamera(line, rounds);
    }

    private static void checkResults(Line line, long rounds) throws Exception {
        Map<String, List<Long>> sequences = new HashMap<>();
        Map<String, List<String>> versions = new HashMap<>();
        for (InspectionResult result : line.results()) {
            sequences
                    .computeIfAbsent(result.getCameraId(), c -> new ArrayList<>())
                    .add(result.getSequence());
            List<String> seen = versions.computeIfAbsent(result.getCameraId(), c -> new ArrayList<>());
            if (seen.isEmpty() || !seen.get(seen.size() - 1).equals(result.getModelVersion()))
                seen.add(result.getModelVersion());
        }
        System.out.println("RolloutIT: " + CAMERAS * rounds + " frames; models in order per camera " + versions);
        for (int c = 0; c < CAMERAS; c++) {
            assertThat(sequences.get("cam" + c))
                    .as("one result per frame, in order")
                    .hasSize((int) rounds)
                    .isSorted()
                    .doesNotHaveDuplicates();
        }
        assertThat(versions.get("cam1")).containsExactly("mean-1", "v1", "v2", "v1", "v2");
        assertThat(versions.get("cam0")).containsExactly("mean-1", "v1", "v2");
    }

    private static void checkShadow(Line line) throws Exception {
        List<ShadowDifference> differences = read(line, line.topics.shadow(), ShadowDifference.class);
        assertThat(differences).hasSizeGreaterThan(5).allSatisfy(d -> {
            assertThat(d.getChampion()).isEqualTo("v1");
            assertThat(d.getChallenger()).isEqualTo("v2");
            assertThat(d.getChampionScore()).isEqualTo(d.getChallengerScore());
        });
    }

    private static void checkStatuses(Line line) throws Exception {
        List<ModelStatus> statuses = read(line, line.topics.modelStatus(), ModelStatus.class);
        assertThat(statuses.stream()
                        .filter(s -> s.getVersion().equals("forged"))
                        .map(ModelStatus::getState))
                .containsExactly(ModelState.LOADING, ModelState.REJECTED);
        assertThat(statuses.stream().filter(s -> s.getVersion().equals("v2")).map(ModelStatus::getState))
                .contains(ModelState.LOADING, ModelState.WARM, ModelState.ACTIVE, ModelState.RETIRED);
        assertThat(statuses).allSatisfy(s -> assertThat(s.getInstance()).isEqualTo("it-0"));
    }
}

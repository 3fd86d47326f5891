package io.linesight.streams.alert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.linesight.models.rollouts.ChannelState;
import io.linesight.models.rollouts.HistoryEntry;
import io.linesight.models.rollouts.RegistryState;
import io.linesight.schemas.Alert;
import io.linesight.schemas.AlertAction;
import io.linesight.schemas.AlertActionKind;
import io.linesight.schemas.AlertChange;
import io.linesight.schemas.AlertKind;
import io.linesight.schemas.AlertState;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.Rollout;
import io.linesight.schemas.RolloutAction;
import io.linesight.schemas.RolloutMode;
import io.linesight.schemas.serde.AvroSerde;
import io.linesight.schemas.serde.RecordDecoder;
import io.linesight.streams.config.InspectionConfig;
import io.linesight.streams.drift.NormalScores;
import io.linesight.streams.support.StubRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.state.KeyValueStore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AlertTopologyTest {

    private static final Instant BEGIN = Instant.parse("2026-03-01T06:00:00Z");

    @TempDir
    Path folder;

    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private StubRegistry registry;
    private InspectionConfig config;
    private TopologyTestDriver driver;
    private TestInputTopic<String, byte[]> results;
    private TestInputTopic<String, byte[]> actions;
    private TestOutputTopic<String, byte[]> alerts;
    private AvroSerde<InspectionResult> resultSerde;
    private AvroSerde<AlertAction> actionSerde;
    private AvroSerde<Alert> alertSerde;
    private boolean framesWait;
    private RegistryState modelRegistry;
    private Instant now = BEGIN;

    @BeforeEach
    void start() throws Exception {
        registry = new StubRegistry();
        Map<String, String> serdes = Map.of("schema.registry.url", registry.url());
        resultSerde = AvroSerde.of(InspectionResult.class, serdes, false);
        actionSerde = AvroSerde.of(AlertAction.class, serdes, false);
        alertSerde = AvroSerde.of(Alert.class, serdes, false);
        open("linesight.alerts.cameras.max", "50");
    }

    private void open(String... more) {
        Map<String, String> settings = new HashMap<>(Map.of(
                "bootstrap.servers",
                "unused:9092",
                "schema.registry.url",
                registry.url(),
                "linesight.registry.unknown.schema.ms",
                "0",
                "state.dir",
                folder.toString()));
        for (int i = 0; i < more.length; i += 2) settings.put(more[i], more[i + 1]);
        config = InspectionConfig.of(settings);
        AlertPolicy policy = AlertPolicy.of(config.alerts());
        AlertProcessor.Shared shared = new AlertProcessor.Shared(
                config.topics().results().name(),
                config.topics().alerts().name(),
                config.alerts(),
                new AlertRules(config.alerts(), (camera, product) -> policy, NormalScores.UNKNOWN),
                RecordDecoder.of(InspectionResult.class, config.serdes()),
                RecordDecoder.of(AlertAction.class, config.serdes()),
                alertSerde.serializer(),
                () -> framesWait,
                "line",
                () -> Optional.ofNullable(modelRegistry),
                new AlertMetrics(meters, () -> true));
        driver = new TopologyTestDriver(
                AlertTopology.build(config.topics(), shared), AlertsApp.properties(config), BEGIN);
        StringSerializer keys = new StringSerializer();
        ByteArraySerializer bytes = new ByteArraySerializer();
        results = driver.createInputTopic(config.topics().results().name(), keys, bytes);
        actions = driver.createInputTopic(config.topics().alertActions().name(), keys, bytes);
        alerts = driver.createOutputTopic(
                config.topics().alerts().name(), new StringDeserializer(), new ByteArrayDeserializer());
    }

    @AfterEach
    void stop() {
        driver.close();
        registry.close();
    }

    private void frame(String camera, long offset, double score) {
        InspectionResult r =
                Play.result(camera, null, offset, (float) score, now).build();
        results.pipeInput(
                camera,
                resultSerde.serializer().serialize(config.topics().results().name(), r));
    }

    private List<Alert> read() {
        return alerts.readKeyValuesToList().stream()
                .map(kv -> {
                    Alert alert = alertSerde
                            .deserializer()
                            .deserialize(config.topics().alerts().name(), kv.value);
                    assertThat(kv.key).isEqualTo(alert.getAlertId());
                    return alert;
                })
                .toList();
    }

    /** In steps as a clock takes them; more at once is a jump. */
    private void pass(Duration time) {
        for (long s = 0; s < time.toSeconds(); s += 5) {
            driver.advanceWallClockTime(Duration.ofSeconds(5));
            now = now.plusSeconds(5);
        }
    }

    @Test
    void shouldOpenAcknowledgeAndClearByRecords() {
        for (int i = 0; i < 3; i++) frame("cam", i, 0.8);
        Alert opened = read().get(0);
        AlertAction action = AlertAction.newBuilder()
                .setActionId("x1")
                .setCameraId("cam")
                .setAlertId(opened.getAlertId())
                .setBasedOn(opened.getRevision())
                .setAction(AlertActionKind.ACKNOWLEDGE)
                .setBy("eva")
                .setAt(now)
                .build();
        actions.pipeInput(
                "cam",
                actionSerde
                        .serializer()
                        .serialize(config.topics().alertActions().name(), action));
        for (int i = 3; i < 13; i++) frame("cam", i, 0.1);

        assertThat(read()).extracting(Alert::getChange).containsExactly(AlertChange.ACKNOWLEDGED, AlertChange.CLEARED);
        assertThat(meters.get("linesight.alerts.active").gauge().value()).isZero();
        assertThat(meters.get("linesight.alerts.changes")
                        .tags("kind", "DEFECT", "change", "OPENED")
                        .counter()
                        .count())
                .isEqualTo(1);
    }

    @Test
    void shouldPassOverWhatItCannotRead() {
        results.pipeInput("cam", "nonsense".getBytes());
        results.pipeInput("cam", new byte[] {0, 0, 0, 99, 99, 1});
        results.pipeInput("cam", null);
        actions.pipeInput("cam", new byte[0]);
        for (int i = 0; i < 3; i++) frame("cam", i, 0.8);
        assertThat(read()).hasSize(1);
        assertThat(meters.get("linesight.alerts.unreadable").counter().count()).isEqualTo(4);
    }

    @Test
    void shouldBeginAnewWithAStateThatCannotBeRead() {
        KeyValueStore<String, byte[]> store = driver.getKeyValueStore(AlertProcessor.STORE);
        store.put("cam", "{".getBytes());
        for (int i = 0; i < 3; i++) frame("cam", i, 0.8);
        assertThat(read()).hasSize(1);
    }

    @Test
    void shouldCallASilentCameraSilentButNotWhileFramesWait() {
        for (int i = 0; i < 20; i++) frame("cam", i, 0.1);
        framesWait = true;
        pass(Duration.ofMinutes(10));
        assertThat(read()).isEmpty();
        framesWait = false;
        pass(Duration.ofSeconds(55));
        assertThat(read()).isEmpty();
        pass(Duration.ofSeconds(15));
        assertThat(read()).extracting(Alert::getCondition).containsExactly("SILENT");
    }

    @Test
    void shouldTakeNoAlarmFromAClockThatJumps() {
        for (int i = 0; i < 20; i++) frame("cam", i, 0.1);
        driver.advanceWallClockTime(Duration.ofDays(3));
        assertThat(read()).isEmpty();
        pass(Duration.ofSeconds(50));
        frame("cam", 20, 0.1);
        assertThat(read()).isEmpty();
    }

    @Test
    void shouldAlarmForWhatAGuardDidFromOneTaskOnceOverARestart() {
        Rollout withdrawn = Rollout.newBuilder()
                .setChannel("line")
                .setRevision(1)
                .setBasedOn(0)
                .setAction(RolloutAction.WITHDRAW)
                .setMode(RolloutMode.ACTIVE)
                .setChampion("m1")
                .setBy("line-1, guard")
                .setAutomatic(true)
                .setAt(now)
                .build();
        HistoryEntry entry = new HistoryEntry(0, Optional.of(withdrawn), true, "");
        ChannelState channel = new ChannelState("line", Optional.of(withdrawn), List.of(entry));
        modelRegistry = new RegistryState(Map.of(), Map.of("line", channel), List.of());
        pass(Duration.ofSeconds(10));
        assertThat(read()).extracting(Alert::getAlertId).containsExactly("MODEL-GUARD_TRIPPED-line-1");
        KeyValueStore<String, byte[]> store = driver.getKeyValueStore(AlertProcessor.STORE);
        byte[] kept = store.get(CameraState.NO_CAMERA);

        driver.close();
        open();
        driver.<String, byte[]>getKeyValueStore(AlertProcessor.STORE).put(CameraState.NO_CAMERA, kept);
        pass(Duration.ofMinutes(5));
        assertThat(read()).as("it was alarmed before").isEmpty();
    }

    @Test
    void shouldKeepDistributionsBesideTheCameraAndAlarmWhenTheyShift() {
        driver.close();
        open(
                "linesight.alerts.drift.window.ms", "10000",
                "linesight.alerts.drift.window.frames", "10",
                "linesight.alerts.drift.baseline.ms", "10000",
                "linesight.alerts.drift.baseline.frames", "10",
                "linesight.alerts.drift.open.windows", "1");
        for (int i = 0; i < 60; i++) {
            now = now.plusMillis(500);
            frame("cam", i, i < 30 ? 0.1 : 0.4);
        }
        assertThat(read())
                .extracting(Alert::getKind, Alert::getChange)
                .containsExactly(tuple(AlertKind.DRIFT, AlertChange.OPENED));
        assertThat(driver.<String, byte[]>getKeyValueStore(AlertProcessor.DRIFT_STORE)
                        .approximateNumEntries())
                .isEqualTo(2);
    }

    @Test
    void shouldForgetTheStalestCamerasBeyondTheLimit() {
        for (int i = 0; i < 3; i++) frame("first", i, 0.8);
        assertThat(read()).hasSize(1);
        for (int c = 0; c < 60; c++) {
            driver.advanceWallClockTime(Duration.ofMillis(10));
            frame("cam-" + c, 1_000 + c, 0.1);
        }
        assertThat(read()).singleElement().satisfies(a -> {
            assertThat(a.getState()).isEqualTo(AlertState.CLOSED);
            assertThat(a.getReason()).startsWith("there are more than 50 cameras in its partition");
        });
        KeyValueStore<String, byte[]> store = driver.getKeyValueStore(AlertProcessor.STORE);
        assertThat(store.approximateNumEntries()).isLessThanOrEqualTo(50);
        assertThat(meters.get("linesight.alerts.cameras").gauge().value()).isEqualTo(50);
    }

    @Test
    void shouldLeaveNothingBehindForActionsOnCamerasThatAreNotThere() {
        AlertAction action = AlertAction.newBuilder()
                .setActionId("x1")
                .setCameraId("ghost")
                .setAlertId("DEFECT-ANOMALOUS-frames-0-1")
                .setAction(AlertActionKind.CLOSE)
                .setBy("eva")
                .setAt(now)
                .build();
        actions.pipeInput(
                "ghost",
                actionSerde
                        .serializer()
                        .serialize(config.topics().alertActions().name(), action));
        assertThat(read()).extracting(Alert::getChange).containsExactly(AlertChange.REFUSED);
        assertThat(driver.<String, byte[]>getKeyValueStore(AlertProcessor.STORE).get("ghost"))
                .isNull();
    }

    @Test
    void shouldPutACameraIntoThePartitionOfItsResults() {
        assertThat(AlertTopology.partition("", 8)).isZero();
        for (String camera : List.of("cam-1", "Kamera Süd", "x")) {
            byte[] key = camera.getBytes(java.nio.charset.StandardCharsets.UTF_8);
            assertThat(AlertTopology.partition(camera, 8))
                    .isEqualTo(org.apache.kafka.clients.producer.internals.BuiltInPartitioner.partitionForKey(key, 8));
        }
    }
}

package io.linesight.notify.opcua;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.linesight.embedded.EmbeddedKafka;
import io.linesight.embedded.SharedPlatform;
import io.linesight.notify.Alerts;
import io.linesight.notify.opcua.Scada.Event;
import io.linesight.notify.opcua.Scada.Keys;
import io.linesight.schemas.Alert;
import io.linesight.schemas.AlertAction;
import io.linesight.schemas.AlertActionKind;
import io.linesight.schemas.AlertChange;
import io.linesight.schemas.AlertState;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.serde.SerdeFactory;
import io.linesight.schemas.topics.TopicAdmin;
import io.linesight.schemas.topics.Topics;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.Serde;
import org.awaitility.Awaitility;
import org.awaitility.core.ThrowingRunnable;
import org.eclipse.milo.opcua.sdk.client.subscriptions.OpcUaSubscription;
import org.eclipse.milo.opcua.stack.core.NodeIds;
import org.eclipse.milo.opcua.stack.core.StatusCodes;
import org.eclipse.milo.opcua.stack.core.UaException;
import org.eclipse.milo.opcua.stack.core.types.builtin.ByteString;
import org.eclipse.milo.opcua.stack.core.types.builtin.DataValue;
import org.eclipse.milo.opcua.stack.core.types.builtin.StatusCode;
import org.eclipse.milo.opcua.stack.core.types.builtin.Variant;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The server and a client of Milo, with a real broker; the line's answers come from the test. */
@Timeout(300)
class OpcUaNotifierIT {
    private static final String PRODUCT = "camera=cam%2F1/product=flange";
    private static final String LAST = PRODUCT + "/LastResult/";
    private static int runs;

    @TempDir
    Path folder;

    private Map<String, String> settings;
    private Topics topics;
    private KafkaProducer<byte[], byte[]> producer;
    private Keys keys;
    private int port;
    private final List<AlertAction> actions = new CopyOnWriteArrayList<>();

    @BeforeEach
    void open(TestInfo info) throws Exception {
        settings = Map.of(
                "bootstrap.servers",
                SharedPlatform.kafka().bootstrapServers(),
                "schema.registry.url",
                SharedPlatform.registry().url(),
                Topics.PREFIX_CONFIG,
                "opcua-" + runs++,
                Topics.PARTITIONS_CONFIG,
                "2");
        topics = Topics.from(settings);
        try (Admin admin = Admin.create(ClientSettings.forAdmin(settings))) {
            TopicAdmin.ensure(admin, topics.all());
        }
        producer = ClientSettings.openProducer(ClientSettings.forWriter(settings));
        keys = Keys.create();
        keys.trustIn(folder);
        port = freePort();
    }

    @AfterEach
    void close() {
        producer.close(Duration.ofSeconds(5));
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    private OpcUaConfig config(boolean anonymous) {
        return new OpcUaConfig(
                "127.0.0.1",
                port,
                "127.0.0.1",
                folder,
                Map.of("eva", "correct horse"),
                anonymous,
                Duration.ofHours(1),
                100,
                100,
                Duration.ofSeconds(2));
    }

    private OpcUaNotifier start(boolean anonymous) throws Exception {
        return OpcUaNotifier.start(settings, config(anonymous), actions::add);
    }

    private Scada eva() throws Exception {
        return Scada.named(config(false).url(), keys, "eva", "correct horse");
    }

    private <T extends SpecificRecord> void send(Class<T> type, String topic, String key, T record) throws Exception {
        try (Serde<T> serde = SerdeFactory.create(type, settings, false)) {
            producer.send(new ProducerRecord<>(
                            topic,
                            0,
                            key.getBytes(StandardCharsets.UTF_8),
                            serde.serializer().serialize(topic, record)))
                    .get();
        }
    }

    private void send(InspectionResult result) throws Exception {
        send(InspectionResult.class, topics.results().name(), result.getCameraId(), result);
    }

    private Alert send(Alert alert) throws Exception {
        send(Alert.class, topics.alerts().name(), alert.getAlertId(), alert);
        return alert;
    }

    private static Alert.Builder next(Alert alert, AlertChange change, AlertState state) {
        return Alert.newBuilder(alert)
                .setRevision(alert.getRevision() + 1)
                .setChange(change)
                .setState(state);
    }

    private static void until(String what, ThrowingRunnable assertion) {
        Awaitility.await(what)
                .atMost(Duration.ofSeconds(60))
                .pollInterval(Duration.ofMillis(50))
                .untilAsserted(assertion);
    }

    @Test
    void shouldShowTheLastResultAndItsChanges() throws Exception {
        send(Results.of("cam/1", "flange", 1));
        try (OpcUaNotifier server = start(false);
                Scada scada = eva()) {
            assertThat(scada.browse(NodeIds.ObjectsFolder)).contains("Linesight");
            assertThat(scada.browse(scada.node("line"))).contains("Cameras", "Alarms", "State", "OpenAlerts");
            assertThat(scada.browse(scada.node("line/Cameras"))).containsExactly("cam%2F1");
            assertThat(scada.browse(scada.node("camera=cam%2F1"))).contains("flange");
            assertThat(scada.value(PRODUCT + "/State")).isEqualTo("NORMAL");
            assertThat(scada.value(LAST + "Verdict")).isEqualTo("FAIL");
            assertThat(scada.value(LAST + "Score")).isEqualTo(0.75f);
            assertThat(scada.value(LAST + "RawScore")).isEqualTo(2.5f);
            assertThat(scada.value(LAST + "Threshold")).isEqualTo(2f);
            assertThat(scada.value(LAST + "ModelVersion")).isEqualTo("v7");
            assertThat(scada.value(LAST + "PartId")).isEqualTo("P-1");
            assertThat(scada.value(LAST + "FrameOffset")).isEqualTo(1L);
            assertThat(scada.value(LAST + "ResultContent"))
                    .asString()
                    .contains("\"resultId\":\"linesight.frames.v1-0-1\"");
            DataValue id = scada.read(LAST + "ResultId");
            assertThat(id.statusCode()).isEqualTo(StatusCode.GOOD);
            assertThat(id.getSourceTime().getJavaInstant()).isEqualTo(Results.AT.plusMillis(40));
            assertThat(scada.client.writeValues(
                            List.of(scada.node(LAST + "Score")), List.of(new DataValue(new Variant(0f)))))
                    .allMatch(StatusCode::isBad);

            scada.subscribe(LAST + "ResultId");
            send(Results.of("cam/1", "flange", 2));
            until("the change", () -> assertThat(scada.values)
                    .extracting(v -> v.value().value())
                    .containsExactly("linesight.frames.v1-0-1", "linesight.frames.v1-0-2"));
            assertThat(server.counts().results()).isEqualTo(2);
            assertThat(server.counts().sessions()).isEqualTo(1);
        }
    }

    @Test
    void shouldShowAnAlarmAndTakeItsAcknowledgement() throws Exception {
        try (OpcUaNotifier server = start(false);
                Scada scada = eva()) {
            OpcUaSubscription subscription = scada.subscribe("line/State");
            Alert alert = send(Alerts.of("cam/1", 1, AlertChange.OPENED));
            Event opened = scada.awaitEvent("the alarm", Event::active);
            assertThat(opened.type()).isEqualTo(NodeIds.AlarmConditionType);
            assertThat(opened.message()).isEqualTo("3 of 5 frames were anomalous");
            assertThat(opened.acked()).isFalse();
            assertThat(opened.retain()).isTrue();
            until("the line's state", () -> assertThat(scada.values)
                    .extracting(v -> v.value().value())
                    .contains("ACTIVE_UNACKNOWLEDGED"));
            assertThat(scada.value(PRODUCT + "/OpenAlerts").toString()).isEqualTo("1");

            // Nobody answers: the record is written, and the caller is told that the rest comes later.
            assertThat(scada.acknowledge(opened.condition(), opened.id(), "on my way")
                            .value())
                    .isEqualTo(StatusCodes.Good_CompletesAsynchronously);
            assertThat(actions).singleElement().satisfies(a -> {
                assertThat(a.getAction()).isEqualTo(AlertActionKind.ACKNOWLEDGE);
                assertThat(a.getAlertId()).isEqualTo(alert.getAlertId());
                assertThat(a.getCameraId()).isEqualTo("cam/1");
                assertThat(a.getBasedOn()).isEqualTo(1);
                assertThat(a.getBy()).isEqualTo("eva");
                assertThat(a.getNote()).isEqualTo("on my way");
            });
            Alert acknowledged = send(next(alert, AlertChange.ACKNOWLEDGED, AlertState.ACTIVE_ACKNOWLEDGED)
                    .setAcknowledged(true)
                    .build());
            Event acked = scada.awaitEvent("acknowledged", Event::acked);
            assertThat(scada.acknowledge(acked.condition(), acked.id(), "again").value())
                    .isEqualTo(StatusCodes.Bad_ConditionBranchAlreadyAcked);
            assertThat(scada.acknowledge(acked.condition(), ByteString.of(new byte[32]), "x")
                            .value())
                    .isEqualTo(StatusCodes.Bad_EventIdUnknown);

            send(next(acknowledged, AlertChange.CLOSED, AlertState.CLOSED)
                    .setAcknowledged(true)
                    .setActive(false)
                    .build());
            scada.awaitEvent("closed", e -> e.acked() && !e.active() && !e.retain());
            until("it is gone", () -> assertThat(scada.browse(scada.node("line/Alarms")))
                    .isEmpty());
            assertThat(server.counts().alarms()).isZero();
            assertThat(scada.call(
                            NodeIds.ConditionType,
                            NodeIds.ConditionType_ConditionRefresh,
                            new Variant(subscription.getSubscriptionId().orElseThrow())))
                    .isEqualTo(StatusCode.GOOD);
        }
    }

    @Test
    void shouldSayThatTheLineRefused() throws Exception {
        Alert alert = send(Alerts.of("cam/1", 1, AlertChange.OPENED));
        OpcUaConfig patient = new OpcUaConfig(
                "127.0.0.1",
                port,
                "127.0.0.1",
                folder,
                Map.of("eva", "correct horse"),
                false,
                Duration.ofHours(1),
                100,
                100,
                Duration.ofSeconds(30));
        ActionWriter refusing = action -> {
            try {
                send(next(alert, AlertChange.REFUSED, alert.getState())
                        .setActionId(action.getActionId())
                        .setReason("its state has changed")
                        .build());
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        };
        try (OpcUaNotifier server = OpcUaNotifier.start(settings, patient, refusing);
                Scada scada = eva()) {
            OpcUaSubscription subscription = scada.subscribe("line/State");
            // The alarm was there before this client: only a refresh tells of it.
            assertThat(scada.call(
                            NodeIds.ConditionType,
                            NodeIds.ConditionType_ConditionRefresh,
                            new Variant(subscription.getSubscriptionId().orElseThrow())))
                    .isEqualTo(StatusCode.GOOD);
            Event opened = scada.awaitEvent("the alarm of before", Event::active);
            assertThat(scada.acknowledge(opened.condition(), opened.id(), "").value())
                    .isEqualTo(StatusCodes.Bad_InvalidState);
            assertThat(server.counts().refused()).isEqualTo(1);
            scada.awaitEvent("the end of the refresh", e -> e.type().equals(NodeIds.RefreshEndEventType));
        }
    }

    @Test
    void shouldRefuseWrongPasswordsAndStrangeCertificates() throws Exception {
        try (OpcUaNotifier server = start(false)) {
            String url = config(false).url();
            assertThatThrownBy(() -> Scada.named(url, keys, "eva", "wrong horse"))
                    .satisfies(e -> assertThat(statusOf(e)).isEqualTo(StatusCodes.Bad_UserAccessDenied));
            assertThatThrownBy(() -> Scada.anonymous(url)).isInstanceOf(UaException.class);
            assertThat(server.counts().refusedLogIns()).isEqualTo(1);
            Keys stranger = Keys.create();
            assertThatThrownBy(() -> Scada.named(url, stranger, "eva", "correct horse"))
                    .satisfies(e -> assertThat(statusOf(e)).isEqualTo(StatusCodes.Bad_SecurityChecksFailed));
            try (var files = Files.list(folder.resolve("rejected"))) {
                assertThat(files).hasSize(1);
            }
            try (Scada scada = eva()) {
                assertThat(scada.value("line/State")).isEqualTo("NORMAL");
            }
        }
    }

    private static long statusOf(Throwable e) {
        return UaException.extractStatusCode(e).map(StatusCode::value).orElse(0L);
    }

    @Test
    void shouldLetAnybodyLookAndNobodyWithoutANameAcknowledge() throws Exception {
        send(Alerts.of("cam/1", 1, AlertChange.OPENED));
        try (OpcUaNotifier server = start(true);
                Scada scada = Scada.anonymous(config(true).url())) {
            OpcUaSubscription subscription = scada.subscribe("line/State");
            scada.call(
                    NodeIds.ConditionType,
                    NodeIds.ConditionType_ConditionRefresh,
                    new Variant(subscription.getSubscriptionId().orElseThrow()));
            Event opened = scada.awaitEvent("the alarm", Event::active);
            assertThat(scada.acknowledge(opened.condition(), opened.id(), "").value())
                    .isEqualTo(StatusCodes.Bad_UserAccessDenied);
            assertThat(actions).isEmpty();
            assertThat(server.counts().actions()).isZero();
        }
    }

    @Test
    void shouldKeepItsCertificateAndShowTheSameAfterARestart() throws Exception {
        Alert alert = send(Alerts.of("cam/1", 1, AlertChange.OPENED));
        send(Alerts.of("cam/1", 2, AlertChange.OPENED));
        send(next(Alerts.of("cam/1", 2, AlertChange.OPENED), AlertChange.CLOSED, AlertState.CLOSED)
                .build());
        byte[] certificate = null;
        for (int run = 0; run < 2; run++) {
            try (OpcUaNotifier server = start(false);
                    Scada scada = eva()) {
                assertThat(server.counts().alarms()).isEqualTo(1);
                assertThat(scada.browse(scada.node("line/Alarms"))).containsExactly(Source.escaped(alert.getAlertId()));
                byte[] now = Files.readAllBytes(folder.resolve("server.der"));
                if (certificate != null) assertThat(now).isEqualTo(certificate);
                certificate = now;
            }
        }
        assertThat(Files.getPosixFilePermissions(folder)).hasSize(3);
    }

    @Test
    void shouldNotStartWhereTheTopicsAreMissing() {
        Map<String, String> elsewhere = new HashMap<>(settings);
        elsewhere.put(Topics.PREFIX_CONFIG, "nowhere");
        assertThatThrownBy(() -> OpcUaNotifier.start(elsewhere, config(false), actions::add))
                .hasMessageContaining("nowhere.alerts");
    }

    @Test
    void shouldNotStartWhereTheAddressIsInUse() throws Exception {
        try (ServerSocket other = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            assertThatThrownBy(() -> start(false))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("cannot listen on 127.0.0.1:" + other.getLocalPort());
        }
    }

    @Test
    void shouldRemoveACameraThatIsSilentAndHasNoOpenAlert() throws Exception {
        OpcUaConfig forgetful = new OpcUaConfig(
                "127.0.0.1",
                port,
                "127.0.0.1",
                folder,
                Map.of("eva", "correct horse"),
                false,
                Duration.ofSeconds(1),
                100,
                100,
                Duration.ofSeconds(2));
        send(Results.of("cam/1", "flange", 1));
        Alert alert = send(Alerts.of("cam/2", 1, AlertChange.OPENED));
        try (OpcUaNotifier server = OpcUaNotifier.start(settings, forgetful, actions::add);
                Scada scada = eva()) {
            until("the silent one is gone", () -> assertThat(scada.browse(scada.node("line/Cameras")))
                    .containsExactly("cam%2F2"));
            assertThat(scada.read(LAST + "Score").statusCode().value()).isEqualTo(StatusCodes.Bad_NodeIdUnknown);
            send(next(alert, AlertChange.CLOSED, AlertState.CLOSED).build());
            until("the other too", () -> assertThat(scada.browse(scada.node("line/Cameras")))
                    .isEmpty());
            assertThat(server.counts().sources()).isZero();
            send(Results.of("cam/1", "flange", 2));
            until("it is back", () -> assertThat(scada.value(LAST + "FrameOffset"))
                    .isEqualTo(2L));
        }
    }

    @Test
    void shouldMarkWhatItShowsAsUncertainWhileTheBrokerIsAwayAndRecover() throws Exception {
        Path data = folder.resolve("broker");
        int brokerPort = freePort();
        EmbeddedKafka broker = EmbeddedKafka.in(data).port(brokerPort).start();
        try {
            producer.close();
            settings = new HashMap<>(settings);
            settings.put("bootstrap.servers", broker.bootstrapServers());
            try (Admin admin = Admin.create(ClientSettings.forAdmin(settings))) {
                TopicAdmin.ensure(admin, topics.all());
            }
            producer = ClientSettings.openProducer(ClientSettings.forWriter(settings));
            send(Results.of("cam/1", "flange", 1));
            send(Alerts.of("cam/1", 1, AlertChange.OPENED));
            try (OpcUaNotifier server = start(false);
                    Scada scada = eva()) {
                scada.subscribe(LAST + "ResultId");
                until("it is good", () -> assertThat(scada.values).hasSize(1).allMatch(v -> v.statusCode()
                        .isGood()));
                broker.close();
                until("it is uncertain, and the value stays", () -> {
                    DataValue value = scada.read(LAST + "ResultId");
                    assertThat(value.statusCode().value())
                            .isEqualTo(StatusCodes.Uncertain_NoCommunicationLastUsableValue);
                    assertThat(value.value().value()).isEqualTo("linesight.frames.v1-0-1");
                });
                assertThat(server.counts().fresh()).isFalse();
                until("the client is told", () -> assertThat(scada.values)
                        .anyMatch(v -> v.statusCode().isUncertain()));
                broker = EmbeddedKafka.in(data).port(brokerPort).start();
                send(Results.of("cam/1", "flange", 2));
                until("it is good again", () -> {
                    DataValue value = scada.read(LAST + "ResultId");
                    assertThat(value.statusCode()).isEqualTo(StatusCode.GOOD);
                    assertThat(value.value().value()).isEqualTo("linesight.frames.v1-0-2");
                });
                assertThat(server.failure()).isEmpty();
            }
        } finally {
            broker.close();
        }
    }
}

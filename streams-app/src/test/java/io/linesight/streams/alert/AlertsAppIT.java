package io.linesight.streams.alert;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.embedded.SharedPlatform;
import io.linesight.schemas.Alert;
import io.linesight.schemas.AlertAction;
import io.linesight.schemas.AlertActionKind;
import io.linesight.schemas.AlertChange;
import io.linesight.schemas.AlertState;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.clients.RangeReader;
import io.linesight.schemas.serde.AvroSerde;
import io.linesight.streams.Line;
import io.linesight.streams.config.InspectionConfig;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Alerts with a real broker: consumer group, transactions, changelog. */
@Timeout(300)
class AlertsAppIT {
    private static final Duration TIMEOUT = Duration.ofMinutes(2);

    @TempDir
    Path folder;

    private Line line;
    private AvroSerde<InspectionResult> results;
    private AvroSerde<Alert> alerts;
    private KafkaProducer<byte[], byte[]> producer;
    private int starts;
    private final Instant begin = Instant.now();

    @BeforeEach
    void connect() {
        line = new Line(SharedPlatform.kafka(), SharedPlatform.registry(), "alerting", 2);
        Map<String, String> serdes =
                Map.of("schema.registry.url", SharedPlatform.registry().url());
        results = AvroSerde.of(InspectionResult.class, serdes, false);
        alerts = AvroSerde.of(Alert.class, serdes, false);
        producer = ClientSettings.openProducer(ClientSettings.forWriter(
                Map.of("bootstrap.servers", SharedPlatform.kafka().bootstrapServers())));
    }

    @AfterEach
    void disconnect() {
        producer.close(Duration.ofSeconds(5));
        line.close();
    }

    /** On a machine of its own: nothing of the state is there but the changelog. */
    private AlertsApp start() throws InterruptedException {
        InspectionConfig fresh = InspectionConfig.of(line.settings(
                "application.id",
                "alerting",
                "linesight.alerts.clear.count",
                "5",
                "state.dir",
                folder.resolve("machine" + starts++).toString()));
        AlertsApp app = new AlertsApp(fresh, new SimpleMeterRegistry());
        app.start();
        assertThat(app.awaitRunning(TIMEOUT)).as(() -> "" + app.whyNotRunning()).isTrue();
        return app;
    }

    private void send(String camera, long from, int count, float score) {
        for (long i = from; i < from + count; i++) {
            InspectionResult r = Play.result(camera, "bolt", i, score, begin.plusSeconds(i))
                    .setResultId(camera + "-" + i)
                    .build();
            String topic = line.topics.results().name();
            producer.send(new ProducerRecord<>(
                    topic,
                    camera.getBytes(StandardCharsets.UTF_8),
                    results.serializer().serialize(topic, r)));
        }
        producer.flush();
    }

    private List<Alert> written() {
        List<Alert> found = new ArrayList<>();
        Map<String, Object> reader = ClientSettings.forReader(
                Map.of("bootstrap.servers", SharedPlatform.kafka().bootstrapServers()));
        try (KafkaConsumer<byte[], byte[]> consumer = ClientSettings.openConsumer(reader)) {
            RangeReader ranges = new RangeReader(consumer, Duration.ofMinutes(1));
            ranges.read(ranges.ranges(List.of(line.topics.alerts().name())), r -> {
                Alert alert = alerts.deserializer().deserialize(r.topic(), r.value());
                if (alert.getChange() != AlertChange.COUNTED) found.add(alert);
                return true;
            });
        }
        return found;
    }

    private List<Alert> awaitWritten(int count) {
        Awaitility.await("alerts")
                .atMost(TIMEOUT)
                .pollInterval(Duration.ofMillis(100))
                .until(() -> written().size() >= count);
        return written();
    }

    private static AlertAction action(AlertActionKind kind, Alert alert) {
        return AlertAction.newBuilder()
                .setActionId("act-" + kind)
                .setCameraId(alert.getCameraId())
                .setAlertId(alert.getAlertId())
                .setBasedOn(alert.getRevision())
                .setAction(kind)
                .setBy("eva")
                .setAt(Instant.now())
                .build();
    }

    @Test
    void shouldOpenOnceOverARestartClearAndBeAcknowledged() throws Exception {
        try (AlertsApp app = start()) {
            send("cam-a", 0, 2, 0.8f);
            send("cam-b", 0, 3, 0.8f);
            assertThat(awaitWritten(1)).extracting(Alert::getAlertId).containsExactly("DEFECT-ANOMALOUS-cam-b-2");
            awaitRead(5);
        }
        // While nobody is there: what opens, and the results of before once more.
        send("cam-a", 2, 1, 0.8f);
        send("cam-b", 0, 3, 0.8f);
        try (AlertsApp app = start();
                AlertActionWriter writer = new AlertActionWriter(
                        line.settings(),
                        line.settings(),
                        line.topics.alertActions().name())) {
            List<Alert> opened = awaitWritten(2);
            assertThat(opened)
                    .extracting(Alert::getAlertId)
                    .containsExactlyInAnyOrder("DEFECT-ANOMALOUS-cam-a-2", "DEFECT-ANOMALOUS-cam-b-2");
            Alert alert = opened.stream()
                    .filter(a -> a.getCameraId().equals("cam-a"))
                    .findFirst()
                    .orElseThrow();
            assertThat(alert.getFirst().getResultId())
                    .as("seen before the restart")
                    .isEqualTo("cam-a-0");
            writer.write(action(AlertActionKind.ACKNOWLEDGE, alert));
            writer.write(action(AlertActionKind.ACKNOWLEDGE, alert));
            assertThat(awaitWritten(3).get(2)).satisfies(a -> {
                assertThat(a.getState()).isEqualTo(AlertState.ACTIVE_ACKNOWLEDGED);
                assertThat(a.getActionId()).isEqualTo("act-ACKNOWLEDGE");
            });
            send("cam-a", 3, 5, 0.1f);
            assertThat(awaitWritten(4).get(3).getState()).isEqualTo(AlertState.CLOSED);
            send("cam-b", 3, 5, 0.1f);
            assertThat(awaitWritten(5).get(4))
                    .returns(AlertChange.CLEARED, Alert::getChange)
                    .as("what was read before the restart does not count again")
                    .returns(3L, Alert::getAnomalousFrames)
                    .returns(8L, Alert::getFrames);
        }
    }

    /** Waits until results are committed, so that the next start knows them from its state alone. */
    private void awaitRead(long results) {
        try (Admin admin = line.admin()) {
            Awaitility.await("committed results")
                    .atMost(TIMEOUT)
                    .until(() -> admin
                                    .listConsumerGroupOffsets(AlertsApp.applicationId("alerting"))
                                    .partitionsToOffsetAndMetadata()
                                    .get()
                                    .entrySet()
                                    .stream()
                                    .filter(e -> e.getKey()
                                                    .topic()
                                                    .equals(line.topics
                                                            .results()
                                                            .name())
                                            && e.getValue() != null)
                                    .mapToLong(e -> e.getValue().offset())
                                    .sum()
                            >= results);
        }
    }

    @Test
    void shouldWaitForTopicsThatAreMissing() throws Exception {
        InspectionConfig elsewhere =
                InspectionConfig.of(line.settings("application.id", "nowhere", "linesight.topics.prefix", "missing"));
        try (AlertsApp app = new AlertsApp(elsewhere, new SimpleMeterRegistry())) {
            app.start();
            Awaitility.await().atMost(TIMEOUT).untilAsserted(() -> assertThat(app.whyNotRunning())
                    .hasValueSatisfying(why ->
                            assertThat(why).contains("missing.alerts.v1", "does not exist", "linesight topics")));
        }
    }
}

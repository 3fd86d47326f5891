package io.linesight.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.embedded.SharedPlatform;
import io.linesight.notify.opcua.Scada;
import io.linesight.notify.opcua.Scada.Event;
import io.linesight.notify.opcua.Scada.Keys;
import io.linesight.schemas.AlertAction;
import io.linesight.schemas.AlertActionKind;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.StageTimings;
import io.linesight.schemas.Verdict;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.clients.RangeReader;
import io.linesight.schemas.serde.AvroSerde;
import io.linesight.streams.Line;
import io.linesight.streams.alert.AlertsApp;
import io.linesight.streams.config.InspectionConfig;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.awaitility.Awaitility;
import org.eclipse.milo.opcua.stack.core.StatusCodes;
import org.eclipse.milo.opcua.stack.core.types.builtin.StatusCode;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** {@code notify opcua} with an app that makes alerts, and a control room. */
@Timeout(300)
class OpcUaCommandIT {
    private static final Duration TIMEOUT = Duration.ofMinutes(2);
    private static final String PRODUCT = "camera=cam-1/product=flange";

    @TempDir
    Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private Map<String, String> serdes;
    private Line line;

    @BeforeEach
    void open() {
        line = new Line(SharedPlatform.kafka(), SharedPlatform.registry(), "opcuacli", 2);
        serdes = Map.of("schema.registry.url", SharedPlatform.registry().url());
    }

    @AfterEach
    void close() {
        line.close();
    }

    private int run(String... more) {
        List<String> arguments = new ArrayList<>(List.of("notify", "opcua"));
        line.settings().forEach((key, value) -> arguments.addAll(List.of("--set", key + "=" + value)));
        arguments.addAll(List.of("--port", "0", "--dir", folder.resolve("opcua").toString()));
        arguments.addAll(List.of(more));
        CommandLine cli = Linesight.commandLine();
        cli.setOut(new PrintWriter(out, true));
        cli.setErr(new PrintWriter(err, true));
        return cli.execute(arguments.toArray(String[]::new));
    }

    private Path users(String permissions) throws Exception {
        Path users = Files.writeString(folder.resolve("opcua.users"), "eva=correct horse\n");
        return Files.setPosixFilePermissions(users, PosixFilePermissions.fromString(permissions));
    }

    private String said(String pattern) {
        Pattern wanted = Pattern.compile(pattern);
        Awaitility.await(pattern).atMost(TIMEOUT).until(() -> wanted.matcher(out.toString())
                .find());
        Matcher found = wanted.matcher(out.toString());
        assertThat(found.find()).isTrue();
        return found.group(1);
    }

    private void sendBurst() {
        try (AvroSerde<InspectionResult> serde = AvroSerde.of(InspectionResult.class, serdes, false);
                KafkaProducer<byte[], byte[]> producer =
                        ClientSettings.openProducer(ClientSettings.forWriter(line.settings()))) {
            for (int i = 0; i < 3; i++) {
                InspectionResult r = InspectionResult.newBuilder()
                        .setResultId("frames-0-" + i)
                        .setFrameRef(new FrameRef("frames", 0, (long) i))
                        .setFrameId("f" + i)
                        .setCameraId("cam-1")
                        .setProduct("flange")
                        .setScore(0.8f)
                        .setRawScore(8)
                        .setThreshold(5)
                        .setVerdict(Verdict.FAIL)
                        .setModelVersion("m1")
                        .setCapturedAt(Instant.now())
                        .setScoredAt(Instant.now())
                        .setTimings(new StageTimings(0L, 0L, 0L, 1))
                        .build();
                String topic = line.topics.results().name();
                producer.send(new ProducerRecord<>(
                        topic,
                        "cam-1".getBytes(StandardCharsets.UTF_8),
                        serde.serializer().serialize(topic, r)));
            }
        }
    }

    private List<AlertAction> actions() {
        List<AlertAction> found = new ArrayList<>();
        try (AvroSerde<AlertAction> serde = AvroSerde.of(AlertAction.class, serdes, false);
                KafkaConsumer<byte[], byte[]> consumer =
                        ClientSettings.openConsumer(ClientSettings.forReader(line.settings()))) {
            RangeReader reader = new RangeReader(consumer, Duration.ofMinutes(1));
            reader.<RuntimeException>read(
                    reader.ranges(List.of(line.topics.alertActions().name())),
                    r -> found.add(serde.deserializer().deserialize(r.topic(), r.value())));
        }
        return found;
    }

    @Test
    void shouldAcknowledgeAnAlertOfTheLineInTheNameOfWhoeverIsLoggedIn() throws Exception {
        InspectionConfig config = InspectionConfig.of(line.settings(
                "application.id",
                "opcuacli",
                "state.dir",
                folder.resolve("state").toString()));
        Keys keys = Keys.create();
        keys.trustIn(folder.resolve("opcua"));
        String users = users("rw-------").toString();
        AtomicInteger exit = new AtomicInteger(-1);
        Thread command = new Thread(
                () -> exit.set(run("--users", users, "--metrics-port", "0", "--answer-timeout", "60s")),
                "notify opcua");
        try (AlertsApp app = new AlertsApp(config, new SimpleMeterRegistry())) {
            app.start();
            assertThat(app.awaitRunning(TIMEOUT)).isTrue();
            command.start();
            String url = said("Serving OPC UA at (\\S+);");
            try (Scada scada = Scada.named(url, keys, "eva", "correct horse")) {
                acknowledge(scada);
            }
            String metrics = HttpClient.newHttpClient()
                    .send(
                            HttpRequest.newBuilder(URI.create(said("Metrics at (\\S+)")))
                                    .build(),
                            BodyHandlers.ofString())
                    .body();
            assertThat(metrics)
                    .contains(
                            "linesight_notify_opcua_actions_total 1.0",
                            "linesight_notify_opcua_alarms 1.0",
                            "linesight_notify_opcua_up 1.0");
        } finally {
            command.interrupt();
            command.join(TIMEOUT.toMillis());
        }
        assertThat(command.isAlive()).isFalse();
        assertThat(err.toString()).doesNotContain("correct horse");
    }

    private void acknowledge(Scada scada) throws Exception {
        scada.subscribe("line/State");
        sendBurst();
        Event opened = scada.awaitEvent("the alarm", Event::active);
        assertThat(scada.acknowledge(opened.condition(), opened.id(), "on my way"))
                .isEqualTo(StatusCode.GOOD);
        assertThat(actions()).singleElement().satisfies(a -> {
            assertThat(a.getAction()).isEqualTo(AlertActionKind.ACKNOWLEDGE);
            assertThat(a.getBy()).isEqualTo("eva");
            assertThat(a.getNote()).isEqualTo("on my way");
            assertThat(a.getAlertId()).isEqualTo("DEFECT-ANOMALOUS-frames-0-2");
        });
        Event acked = scada.awaitEvent("acknowledged", Event::acked);
        assertThat(acked.condition()).isEqualTo(opened.condition());
        assertThat(scada.value(PRODUCT + "/State")).isEqualTo("ACTIVE_ACKNOWLEDGED");
        assertThat(scada.acknowledge(acked.condition(), acked.id(), "").value())
                .isEqualTo(StatusCodes.Bad_ConditionBranchAlreadyAcked);
        Awaitility.await("the last result").atMost(TIMEOUT).untilAsserted(() -> assertThat(
                        scada.value(PRODUCT + "/LastResult/ResultId"))
                .isEqualTo("frames-0-2"));
    }

    @Test
    void shouldNameEverythingThatIsWrongAndNotStart() throws Exception {
        assertThat(run("--max-sources", "0", "--max-alarms", "0")).isEqualTo(1);
        assertThat(err.toString()).contains("no users", "0 cameras", "0 alarms", "Nothing was started");
        assertThat(run("--users", folder.resolve("none").toString())).isEqualTo(1);
        assertThat(err.toString()).contains("there is no file of users");
        assertThat(run("--users", users("rw-r--r--").toString())).isEqualTo(1);
        assertThat(err.toString()).contains("chmod o-rwx").doesNotContain("correct horse");
    }
}

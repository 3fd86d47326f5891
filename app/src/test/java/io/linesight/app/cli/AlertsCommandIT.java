package io.linesight.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.linesight.embedded.SharedPlatform;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.StageTimings;
import io.linesight.schemas.Verdict;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.serde.AvroSerde;
import io.linesight.streams.Line;
import io.linesight.streams.alert.AlertsApp;
import io.linesight.streams.config.InspectionConfig;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The commands under {@code alerts}, with an app that answers them. */
@Timeout(300)
class AlertsCommandIT {
    private static final Duration TIMEOUT = Duration.ofMinutes(2);
    private static final String ALERT = "DEFECT-ANOMALOUS-frames-0-2";

    @TempDir
    Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private Line line;

    private int run(String command, String... more) {
        out.getBuffer().setLength(0);
        err.getBuffer().setLength(0);
        List<String> arguments = new ArrayList<>(List.of("alerts", command));
        line.settings().forEach((key, value) -> arguments.addAll(List.of("--set", key + "=" + value)));
        arguments.addAll(List.of(more));
        CommandLine cli = Linesight.commandLine();
        cli.setOut(new PrintWriter(out, true));
        cli.setErr(new PrintWriter(err, true));
        int code = cli.execute(arguments.toArray(String[]::new));
        System.out.println("$ alerts " + command + " " + String.join(" ", more) + "\n" + out + err);
        return code;
    }

    private void sendBurst() {
        AvroSerde<InspectionResult> serde = AvroSerde.of(
                InspectionResult.class,
                Map.of("schema.registry.url", SharedPlatform.registry().url()),
                false);
        try (KafkaProducer<byte[], byte[]> producer = ClientSettings.openProducer(ClientSettings.forWriter(
                Map.of("bootstrap.servers", SharedPlatform.kafka().bootstrapServers())))) {
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
                        .setRegions(List.of())
                        .setAttributes(Map.of("lot", "7"))
                        .build();
                String topic = line.topics.results().name();
                producer.send(new ProducerRecord<>(
                        topic, "cam-1".getBytes(), serde.serializer().serialize(topic, r)));
            }
        }
        serde.close();
    }

    @Test
    void shouldShowAcknowledgeShelveAndCloseAnAlert() throws Exception {
        try (Line made = new Line(SharedPlatform.kafka(), SharedPlatform.registry(), "alertscli", 2)) {
            line = made;
            assertThat(run("list")).isZero();
            assertThat(out.toString()).contains("No alert is open.");
            InspectionConfig config = InspectionConfig.of(line.settings(
                    "application.id",
                    "alertscli",
                    "state.dir",
                    folder.resolve("state").toString()));
            try (AlertsApp app = new AlertsApp(config, new SimpleMeterRegistry())) {
                app.start();
                assertThat(app.awaitRunning(TIMEOUT)).isTrue();
                sendBurst();
                Awaitility.await()
                        .atMost(TIMEOUT)
                        .until(() -> run("list") == 0 && out.toString().contains(ALERT));
                assertThat(out.toString()).contains("medium", "cam-1", "flange", "3 of 3");
                actOnIt();
            }
            assertThat(run("ack", ALERT)).as("it is closed").isEqualTo(1);
            assertThat(err.toString()).contains("is closed", "wrong lot", "Nothing was done");
            assertThat(run("maintenance", "cam-1", "--for", "30m", "--timeout", "1s"))
                    .isEqualTo(1);
            assertThat(err.toString()).contains("has not answered within 1 s", "takes effect as soon as");
        }
    }

    private void actOnIt() throws Exception {
        assertThat(run("ack", ALERT, "--by", "eva", "--note", "fitter is on the way"))
                .isZero();
        assertThat(out.toString()).contains(ALERT + ": acknowledged by eva. It is active, acknowledged now.");
        assertThat(run("ack", ALERT, "--by", "tom")).isEqualTo(1);
        assertThat(err.toString()).contains("refused: it is acknowledged already, by eva. Nothing was changed");
        assertThat(run("unshelve", ALERT)).isEqualTo(1);
        assertThat(run("shelve", ALERT, "--for", "100h")).isEqualTo(1);
        assertThat(err.toString()).contains("linesight.alerts.shelve.max.ms");
        assertThat(run("shelve", ALERT)).as("never without an end").isEqualTo(2);
        assertThat(run("shelve", "DEFECT", "--for", "2h", "--by", "eva")).isZero();
        assertThat(out.toString()).contains("shelved by eva, until");
        assertThat(run("note", ALERT, "seen on three parts of lot 7", "--by", "tom"))
                .isZero();
        assertThat(run("show", ALERT)).isZero();
        assertThat(out.toString())
                .contains(
                        "lot:",
                        "seen on three parts of lot 7 (tom",
                        "shelved",
                        "acknowledged",
                        "refused",
                        "frames-0-0");
        assertThat(run("show", ALERT, "--json")).isZero();
        JsonNode shown = new ObjectMapper().readTree(out.toString());
        assertThat(shown.get("state").asText()).isEqualTo("SHELVED");
        assertThat(shown.at("/attributes/lot").asText()).isEqualTo("7");
        assertThat(run("maintenance", "cam-1", "--for", "30m", "--by", "eva")).isZero();
        assertThat(out.toString()).contains("maintenance started by eva, until");
        assertThat(run("maintenance", "cam-1", "--end")).isZero();
        assertThat(run("close", ALERT, "--note", "wrong lot", "--by", "eva")).isZero();
        assertThat(run("close", "CAMERA-SILENT-nothing")).isEqualTo(1);
        assertThat(err.toString()).contains("there is no alert CAMERA-SILENT-nothing");
        assertThat(run("history", "--last", "1h", "--camera", "cam-1")).isZero();
        assertThat(out.toString()).contains("opened", "maintenance ended", "wrong lot");
        assertThat(run("health")).isZero();
        assertThat(out.toString()).contains("1 in 24 h", "0 active now", "cam-1 flange ANOMALOUS");
        assertThat(run("health", "--json")).isZero();
        assertThat(new ObjectMapper().readTree(out.toString()).get("alarms").asInt())
                .isEqualTo(1);
    }
}

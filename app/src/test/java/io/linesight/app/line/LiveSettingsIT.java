package io.linesight.app.line;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.linesight.app.cli.Linesight;
import io.linesight.demo.line.BundledModel;
import io.linesight.embedded.SharedPlatform;
import io.linesight.mmad.image.ImageCodec;
import io.linesight.mmad.image.RgbImage;
import io.linesight.schemas.CameraFrame;
import io.linesight.schemas.FrameEncoding;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.Verdict;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.topics.Topics;
import io.linesight.simulator.SimulatedLine;
import io.linesight.streams.InspectionApp;
import io.linesight.streams.Line;
import io.linesight.streams.config.InspectionConfig;
import io.linesight.streams.routing.ModelControl;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** A person moves a threshold, and the line follows without a restart. */
@Timeout(600)
class LiveSettingsIT {
    private static final String APPLICATION = "following";
    private static final String PRODUCT = "board";
    private static final Duration TIMEOUT = Duration.ofSeconds(120);

    @TempDir
    private Path dir;

    private Line line;
    private Path model;
    private RgbImage good;
    private long sent;
    private String out;

    @Test
    void shouldFollowAThresholdThatIsMovedAndTakenBack() throws Exception {
        model = BundledModel.unpack(dir).orElseThrow();
        good = new SimulatedLine(7, 0.1).normals(PRODUCT, 1, 99).get(0).image();
        try (Line opened = new Line(SharedPlatform.kafka(), SharedPlatform.registry(), APPLICATION, 1)) {
            line = opened;
            try (InspectionApp app = start()) {
                InspectionResult before = inspect();
                assertThat(before.getVerdict()).isEqualTo(Verdict.PASS);
                assertThat(before.getSettingsRevision()).isZero();
                shouldFollow(before);
                shouldRefuseWhatIsBasedOnSomethingOld();
                shouldTakeBack(before);
                shouldKeepTheLastGoodOneOverARecordThatIsTorn(before);
                shouldShow();
            }
            // What was set is on the topic: another instance begins with it.
            try (InspectionApp app = start()) {
                assertThat(inspect().getSettingsRevision()).isEqualTo(4);
            }
            assertThat(line.results().stream()
                            .map(InspectionResult::getSequence)
                            .distinct())
                    .as("no frame lost")
                    .hasSize((int) sent);
            assertThat(line.results()).as("no frame twice").hasSize((int) sent);
        }
    }

    private void shouldFollow(InspectionResult before) throws Exception {
        double threshold = before.getRawScore() * 0.9;
        assertThat(command("settings", "set", PRODUCT, "--threshold", "" + threshold, "--model", model.toString()))
                .as("the bundled model does not say how its scores are distributed")
                .isEqualTo(1);
        assertThat(out).contains("--keep raw");
        assertThat(command(
                        "settings",
                        "set",
                        PRODUCT,
                        "--threshold",
                        "" + threshold,
                        "--keep",
                        "raw",
                        "--model",
                        model.toString(),
                        "--by",
                        "anna",
                        "--reason",
                        "a try"))
                .as(out)
                .isZero();
        assertThat(out).contains("Revision 1 of product 'board'");
        long set = System.nanoTime();
        InspectionResult now = await(1);
        System.out.printf(Locale.ROOT, "LiveSettingsIT: %.1f s from set to effect%n", (System.nanoTime() - set) / 1e9);
        assertThat(now.getVerdict()).isNotEqualTo(Verdict.PASS);
        assertThat(now.getScore()).isGreaterThan(0.5f);
        assertThat((double) now.getThreshold()).isCloseTo(threshold, within(1e-6));
        assertThat(now.getRawScore()).isEqualTo(before.getRawScore());
    }

    private void shouldRefuseWhatIsBasedOnSomethingOld() {
        assertThat(command("settings", "set", PRODUCT, "--review-low", "0.2", "--based-on", "0"))
                .isEqualTo(1);
        assertThat(out).contains("revision 1 is in force, set by anna, not 0", "Nothing was done");
        assertThat(command("settings", "set", PRODUCT, "--review-low", "-1")).isEqualTo(1);
        assertThat(out).contains("lower limit is -1.0", "Nothing was done");
        assertThat(command("settings", "set", "bolt", "--review-high", "0.7", "--by", "bob"))
                .as("a product that no model knows yet")
                .isZero();
    }

    private void shouldTakeBack(InspectionResult before) {
        assertThat(command("settings", "revert", PRODUCT, "--by", "bob"))
                .as(out)
                .isZero();
        InspectionResult now = await(3);
        assertThat(now.getVerdict()).isEqualTo(Verdict.PASS);
        assertThat(now.getThreshold()).isEqualTo(before.getThreshold());
    }

    private void shouldKeepTheLastGoodOneOverARecordThatIsTorn(InspectionResult before) {
        String topic = Topics.from(line.settings()).settings().name();
        try (KafkaProducer<byte[], byte[]> producer =
                ClientSettings.openProducer(ClientSettings.forWriter(line.settings()))) {
            byte[] key = ("default/" + PRODUCT).getBytes(StandardCharsets.UTF_8);
            producer.send(new ProducerRecord<>(topic, 0, key, new byte[] {0, 1}));
        }
        InspectionResult now = await(4);
        assertThat(now.getVerdict()).isEqualTo(Verdict.PASS);
        assertThat(now.getThreshold()).isEqualTo(before.getThreshold());
        assertThat(command("settings", "show")).isZero();
        assertThat(out).contains("The newest settings of 'board' are not applied");
    }

    private void shouldShow() {
        assertThat(command("settings", "show", "bolt", "--json")).isZero();
        assertThat(out).contains("\"reviewHigh\" : 0.7", "\"by\" : \"bob\"");
        assertThat(command("settings", "history", PRODUCT)).isZero();
        assertThat(out).contains("anna", "a try", "bob", "DID NOT COUNT");
        assertThat(command("settings", "revert", PRODUCT, "--to", "9")).isEqualTo(1);
        assertThat(out).contains("never had revision 9");
        assertThat(command("settings", "show", "nothing")).isZero();
        assertThat(out).contains("Nobody has set anything for product 'nothing'");
    }

    private InspectionResult await(long revision) {
        List<InspectionResult> seen = new ArrayList<>();
        Awaitility.await("a result that knows the settings up to " + revision)
                .atMost(TIMEOUT)
                .pollInterval(Duration.ofMillis(100))
                .until(() -> {
                    seen.add(inspect());
                    return seen.get(seen.size() - 1).getSettingsRevision() >= revision;
                });
        return seen.get(seen.size() - 1);
    }

    private InspectionResult inspect() {
        long sequence = sent++;
        line.send(
                0,
                CameraFrame.newBuilder(Line.frame("cam", sequence, 0).build())
                        .setProduct(PRODUCT)
                        .setEncoding(FrameEncoding.PNG)
                        .setImage(ByteBuffer.wrap(ImageCodec.encodePng(good)))
                        .setCapturedAt(Instant.now().truncatedTo(ChronoUnit.MICROS))
                        .build());
        line.flush();
        List<InspectionResult> found = new ArrayList<>();
        Awaitility.await("result " + sequence)
                .atMost(TIMEOUT)
                .pollInterval(Duration.ofMillis(50))
                .until(() -> line.results().stream()
                        .filter(r -> r.getSequence() == sequence)
                        .peek(found::add)
                        .findFirst()
                        .isPresent());
        return found.get(0);
    }

    private InspectionApp start() throws Exception {
        InspectionApp app = new InspectionApp(
                InspectionConfig.of(line.settings(
                        "application.id",
                        APPLICATION,
                        "linesight.checkpoint",
                        model.toString(),
                        "linesight.device",
                        "cpu",
                        "linesight.settings",
                        "follow",
                        "state.dir",
                        dir.resolve("state").toString())),
                ModelControl.fixed(),
                null);
        app.start();
        assertThat(app.awaitRunning(TIMEOUT)).isTrue();
        return app;
    }

    private int command(String... args) {
        StringWriter text = new StringWriter();
        List<String> all = new ArrayList<>(List.of(args));
        for (Map.Entry<String, String> e : line.settings().entrySet())
            all.addAll(List.of("--set", e.getKey() + "=" + e.getValue()));
        CommandLine command = Linesight.commandLine();
        command.setOut(new PrintWriter(text, true));
        command.setErr(new PrintWriter(text, true));
        int code = command.execute(all.toArray(new String[0]));
        out = text.toString();
        return code;
    }
}

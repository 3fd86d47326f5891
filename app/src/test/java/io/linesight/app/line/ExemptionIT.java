package io.linesight.app.line;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.app.cli.Linesight;
import io.linesight.demo.line.BundledModel;
import io.linesight.embedded.SharedPlatform;
import io.linesight.mmad.image.ImageCodec;
import io.linesight.mmad.image.RgbImage;
import io.linesight.schemas.CameraFrame;
import io.linesight.schemas.FrameEncoding;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.Verdict;
import io.linesight.simulator.SimulatedFrame;
import io.linesight.simulator.SimulatedLine;
import io.linesight.streams.InspectionApp;
import io.linesight.streams.Line;
import io.linesight.streams.config.InspectionConfig;
import io.linesight.streams.routing.ModelControl;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** A mark that does no harm raises an alarm; a person says so, and parts with the mark pass from then on. */
@Timeout(600)
class ExemptionIT {
    private static final String APPLICATION = "exempting";
    private static final String PRODUCT = "board";
    private static final Duration TIMEOUT = Duration.ofSeconds(120);

    @TempDir
    private Path dir;

    private final SimulatedLine parts = new SimulatedLine(7, 0.1);
    private Line line;
    private Path model;
    private long sent;
    private String out;

    /** A yellow mark at a fixed place of the image. */
    private static RgbImage marked(SimulatedFrame part) {
        RgbImage image = part.image();
        byte[] pixels = image.rgb().clone();
        for (int y = 200; y < 210; y++)
            for (int x = 60; x < 74; x++) {
                int at = 3 * (y * image.width() + x);
                pixels[at] = (byte) 240;
                pixels[at + 1] = (byte) 240;
                pixels[at + 2] = 40;
            }
        return new RgbImage(image.width(), image.height(), pixels);
    }

    private InspectionResult inspect(RgbImage image) {
        long sequence = sent++;
        line.send(
                0,
                CameraFrame.newBuilder(Line.frame("cam", sequence, 0).build())
                        .setProduct(PRODUCT)
                        .setEncoding(FrameEncoding.PNG)
                        .setImage(ByteBuffer.wrap(ImageCodec.encodePng(image)))
                        .setCapturedAt(Instant.now().truncatedTo(ChronoUnit.MICROS))
                        .build());
        line.flush();
        List<InspectionResult> found = new ArrayList<>();
        Awaitility.await("result " + sequence)
                .atMost(TIMEOUT)
                .pollInterval(Duration.ofMillis(100))
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
                        "linesight.exemptions",
                        "labels",
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

    private void label(InspectionResult result, String label) {
        assertThat(command("label", "--frame", result.getResultId(), "--label", label, "--annotator", "anna"))
                .as(out)
                .isZero();
    }

    /** Shows marked parts until one is judged so. */
    private InspectionResult await(Verdict verdict) {
        List<InspectionResult> seen = new ArrayList<>();
        Awaitility.await("a marked part that is " + verdict)
                .atMost(TIMEOUT)
                .pollInterval(Duration.ofMillis(200))
                .until(() -> {
                    seen.add(inspect(marked(parts.part(PRODUCT, SimulatedFrame.GOOD, 5, 1))));
                    return seen.get(seen.size() - 1).getVerdict() == verdict;
                });
        return seen.get(seen.size() - 1);
    }

    @Test
    void shouldForgetAFalseAlarmWithinSecondsAndTakeItBack() throws Exception {
        model = BundledModel.unpack(dir).orElseThrow();
        try (Line opened = new Line(SharedPlatform.kafka(), SharedPlatform.registry(), APPLICATION, 1)) {
            line = opened;
            InspectionResult alarm;
            try (InspectionApp app = start()) {
                for (SimulatedFrame good : parts.normals(PRODUCT, 6, 99))
                    assertThat(inspect(good.image()).getVerdict()).isEqualTo(Verdict.PASS);
                alarm = inspect(marked(parts.part(PRODUCT, SimulatedFrame.GOOD, 5, 0)));
                shouldForget(alarm);
                shouldStillFindDefects();
                shouldListAndTakeBack(alarm);
                shouldAddByHandAndRevokeForADefect(alarm);
                shouldFindWhatItJustWrote(alarm);
                label(alarm, "normal");
                await(Verdict.PASS);
            }
            // What was said is on the topic: another instance begins with it.
            try (InspectionApp app = start()) {
                InspectionResult first = inspect(marked(parts.part(PRODUCT, SimulatedFrame.GOOD, 5, 1)));
                assertThat(first.getVerdict()).isEqualTo(Verdict.PASS);
                assertThat(first.getExemptions()).containsExactly(alarm.getResultId());
            }
        }
    }

    private void shouldForget(InspectionResult alarm) {
        assertThat(alarm.getVerdict()).isEqualTo(Verdict.FAIL);
        assertThat(alarm.getExemptions()).isEmpty();
        label(alarm, "normal");
        long labelled = System.nanoTime();
        InspectionResult passed = await(Verdict.PASS);
        System.out.printf(
                Locale.ROOT, "ExemptionIT: %.1f s from label to effect%n", (System.nanoTime() - labelled) / 1e9);
        assertThat(passed.getExemptions()).containsExactly(alarm.getResultId());
        assertThat(passed.getExemptionsRevision()).isPositive();
        assertThat(passed.getRawScoreBefore()).isGreaterThan(passed.getThreshold());
        assertThat(passed.getRawScore()).isLessThan(passed.getThreshold());
    }

    /** Parts without the mark are judged as before, whatever else is wrong with them. */
    private void shouldStillFindDefects() {
        int found = 0;
        for (String defect : SimulatedLine.defects(PRODUCT)) {
            InspectionResult r = inspect(parts.part(PRODUCT, defect, 17, 0).image());
            assertThat(r.getExemptions()).as(defect).isEmpty();
            assertThat(r.getRawScoreBefore()).as(defect).isNull();
            if (r.getVerdict() == Verdict.FAIL) found++;
        }
        assertThat(found)
                .as("defects found")
                .isGreaterThan(SimulatedLine.defects(PRODUCT).size() / 2);
    }

    private void shouldListAndTakeBack(InspectionResult alarm) {
        assertThat(command("exemptions", "list")).as(out).isZero();
        assertThat(out).contains(alarm.getResultId(), PRODUCT, "anna");
        assertThat(command("exemptions", "list", "--json", "--product", "fabric"))
                .isZero();
        assertThat(out.strip()).isEqualTo("[ ]");
        assertThat(command("exemptions", "show", alarm.getResultId())).as(out).isZero();
        assertThat(out).contains("#", "anna", "threshold");
        assertThat(command("exemptions", "remove", "linesight.frames.v1-0-99")).isEqualTo(1);
        assertThat(out).contains("has no exemption of frame linesight.frames.v1-0-99");
        assertThat(command("exemptions", "remove", alarm.getResultId(), "--by", "bob", "--reason", "not sure"))
                .as(out)
                .isZero();
        assertThat(await(Verdict.FAIL).getExemptions()).isEmpty();
    }

    /** Answered and taken back at once: the second label finds what the first has made. */
    private void shouldFindWhatItJustWrote(InspectionResult alarm) {
        RgbImage good = parts.part(PRODUCT, SimulatedFrame.GOOD, 5, 3).image();
        long before = inspect(good).getExemptionsRevision();
        label(alarm, "normal");
        label(alarm, "retracted");
        Awaitility.await("both are carried out")
                .atMost(TIMEOUT)
                .pollInterval(Duration.ofMillis(200))
                .until(() -> inspect(good).getExemptionsRevision() >= before + 2);
        assertThat(command("exemptions", "list")).isZero();
        assertThat(out).contains("has no exemptions");
    }

    private void shouldAddByHandAndRevokeForADefect(InspectionResult alarm) {
        assertThat(command("exemptions", "add", alarm.getResultId(), "--model", model.toString(), "--by", "bob"))
                .as(out)
                .isZero();
        InspectionResult passed = await(Verdict.PASS);
        // It was a defect after all: what let it pass goes.
        label(passed, "anomalous");
        await(Verdict.FAIL);
        assertThat(command("exemptions", "list")).isZero();
        assertThat(out).contains("has no exemptions");
        label(alarm, "retracted");
        assertThat(command("exemptions", "add", alarm.getResultId(), "--model", model.toString()))
                .as("it would hide the frame that was called anomalous")
                .isEqualTo(1);
        assertThat(out).contains("was called anomalous");
        label(passed, "retracted");
    }
}

package io.linesight.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.demo.line.BundledModel;
import io.linesight.embedded.EmbeddedKafka;
import io.linesight.embedded.EmbeddedRegistry;
import io.linesight.mmad.checkpoint.Calibration;
import io.linesight.mmad.checkpoint.Checkpoint;
import io.linesight.mmad.checkpoint.Checkpoints;
import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.mmad.checkpoint.ReviewBand;
import io.linesight.mmad.checkpoint.ThresholdBasis;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The life of two checkpoints, told by commands. */
class ModelsCommandIT {
    @TempDir
    Path dir;

    private final List<String> where = new ArrayList<>();
    private String out;
    private String err;

    private int run(String... args) {
        StringWriter o = new StringWriter();
        StringWriter e = new StringWriter();
        CommandLine line = Linesight.commandLine();
        line.setOut(new PrintWriter(o, true));
        line.setErr(new PrintWriter(e, true));
        List<String> all = new ArrayList<>(List.of("models"));
        all.addAll(List.of(args));
        if (!args[0].equals("keygen")) all.addAll(where);
        int code = line.execute(all.toArray(new String[0]));
        out = o.toString();
        err = e.toString();
        return code;
    }

    private void ok(String... args) {
        assertThat(run(args)).as(() -> String.join(" ", args) + ": " + err).isZero();
    }

    private String refused(String... args) {
        assertThat(run(args)).isEqualTo(1);
        assertThat(err).startsWith("linesight: ").doesNotContain("\tat ");
        return err;
    }

    @Test
    void shouldManageCheckpointsThroughTheirLife() throws Exception {
        Path first = BundledModel.unpack(dir).orElseThrow();
        Path second = withOtherThresholds(first);
        String v1 = Checkpoint.read(first).info().version();
        String v2 = Checkpoint.read(second).info().version();
        try (EmbeddedKafka kafka = EmbeddedKafka.in(dir.resolve("kafka")).start();
                EmbeddedRegistry registry = EmbeddedRegistry.start(kafka.bootstrapServers(), 0)) {
            where.addAll(List.of("--bootstrap", kafka.bootstrapServers(), "--registry", registry.url()));
            assertThat(refused("list")).contains("has no topic linesight.models.v1", "linesight topics");
            assertThat(Linesight.commandLine().execute("topics", "-b", kafka.bootstrapServers()))
                    .isZero();
            publish(first, v1, second, v2);
            decide(v1, v2);
            look(v1, v2);
            collect(v1, v2);
        }
    }

    /** Another threshold, or it would be the same version: a version names what a checkpoint decides. */
    private Path withOtherThresholds(Path first) throws Exception {
        Path second = dir.resolve("second.onnx");
        Calibration calibration = Checkpoint.read(first).info().calibration();
        ProductCalibration fallback = calibration.fallback();
        Map<String, ProductCalibration> told = new TreeMap<>(calibration.byProduct());
        told.replaceAll((product, c) -> new ProductCalibration(
                c.threshold(),
                c.scale(),
                new ReviewBand(0.31, 0.72),
                new ThresholdBasis("evt", 0.01, 64, 7, 0.0123, 0.056, 0.004, 0.029, 0.14)));
        Checkpoints.withCalibration(
                Checkpoint.read(first),
                second,
                new Calibration(new ProductCalibration(fallback.threshold() + 0.1, fallback.scale()), told));
        return second;
    }

    private void publish(Path first, String v1, Path second, String v2) throws Exception {
        ok("list");
        assertThat(out).contains("No checkpoint is published", "publish");
        ok("history");
        assertThat(out).contains("Nothing was ever decided");
        ok("status");
        ok(
                "keygen",
                "--private",
                dir.resolve("key").toString(),
                "--public",
                dir.resolve("pub").toString());
        ok("publish", first.toString(), "--key", dir.resolve("key").toString(), "--note", "the first", "--by", "anna");
        assertThat(out).contains("Published " + v1 + " for 'default'", "signed by key", "runs nowhere yet");
        ok("publish", second.toString(), "--store", "file:" + dir.resolve("store"));
        assertThat(out).contains("Published " + v2, "unsigned", "file:");
        assertThat(Files.list(dir.resolve("store"))).hasSize(1);
    }

    private void decide(String v1, String v2) throws Exception {
        assertThat(refused("rollback")).contains("no previous champion");
        assertThat(refused("promote", "v9")).contains("no version v9");
        ok("promote", v1, "--by", "anna", "--reason", "the first");
        assertThat(out).contains("Revision 1 of 'default' is in force: champion " + v1);
        ok("shadow", v2, "--percent", "12.5");
        assertThat(out).contains("scores 12.5 % of the frames beside it");
        ok("canary", v2, "--camera", "cam-1,cam-2", "--product", "flange", "--percent", "5");
        assertThat(out).contains("decides cameras cam-1, cam-2 and products flange and 5 % of the cameras");
        ok("withdraw");
        ok("promote", v2, "--reason", "better");
        ok("pin", "--reason", "audit");
        assertThat(refused("promote", v1)).contains("is pinned by", "(audit)", "'unpin' it first");
        ok("rollback", "--reason", "misses scratches");
        assertThat(out).contains("champion " + v1, "pinned");
        ok("unpin");
        assertThat(refused("promote", v2, "--trust", dir.resolve("pub").toString()))
                .contains("is not trusted", "unsigned");
    }

    private void look(String v1, String v2) throws Exception {
        ok("list", "--trust", dir.resolve("pub").toString());
        assertThat(out)
                .contains("VERSION", v1, "by ", "UNSIGNED, rejected", "default: champion", "default, revision 8");
        ok("show", v1, "--trust", dir.resolve("pub").toString());
        assertThat(out)
                .contains(
                        "version:    " + v1,
                        "it is signed by key",
                        "gate:       not judged: published by hand",
                        "note:       the first",
                        "THRESHOLD");
        ok("show", v2);
        assertThat(out)
                .contains("What the thresholds rest on:", "review band", "by counting:")
                .containsPattern("flange +evt +64 +7 +[0-9.]+ +1.00 % +1.23 % +< 5.60 % +0.31 to 0.72 +0.40 % +2.90 "
                        + "% +14 %");
        assertThat(refused("show", "v9")).contains("no version v9");
        ok("history");
        assertThat(out.lines().count()).isEqualTo(9);
        assertThat(out).contains("anna", "canary", "rollback", "misses scratches", "audit");
        ok("history", "--channel", "press");
    }

    private void collect(String v1, String v2) throws Exception {
        ok("gc", "--keep", "0", "--older-than", "1s", "--dry-run", "--uploads");
        assertThat(out).contains("Would remove 1 of 2 versions", "Would remove 0 uploads");
        assertThat(dir.resolve("store")).isNotEmptyDirectory();
        // What the registry knows is shown also when the store has lost the bytes.
        Path aside = Files.move(dir.resolve("store"), dir.resolve("aside"));
        ok("show", v2);
        assertThat(out).contains("version:    " + v2, "THRESHOLD").doesNotContain("What the thresholds rest on");
        assertThat(err).contains("what the thresholds rest on is in the checkpoint itself, which cannot be fetched");
        Files.move(aside, dir.resolve("store"));
        ok("gc", "--keep", "0", "--older-than", "1s");
        assertThat(out).contains(v1, "stays: named by default: champion", "Removed 1 of 2 versions");
        assertThat(dir.resolve("store")).isEmptyDirectory();
        ok("list");
        assertThat(out).contains(v1).doesNotContain(v2);
    }
}

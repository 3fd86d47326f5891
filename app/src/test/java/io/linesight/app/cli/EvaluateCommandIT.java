package io.linesight.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.linesight.demo.line.BundledModel;
import io.linesight.mmad.checkpoint.Calibration;
import io.linesight.mmad.checkpoint.Checkpoint;
import io.linesight.mmad.checkpoint.Checkpoints;
import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.mmad.image.ImageCodec;
import io.linesight.mmad.image.ImageLimits;
import io.linesight.mmad.image.RgbImage;
import io.linesight.simulator.Lamp;
import io.linesight.simulator.SimulatedDataset;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The bundled checkpoint on a few simulated images, in every layout. */
class EvaluateCommandIT {
    private static final Pattern INLINED = Pattern.compile("src=\"data:image/jpeg;base64,([^\"]+)\"");

    @TempDir
    static Path dir;

    private static Path parts;
    private static Path model;
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private Path report;

    @BeforeAll
    static void simulate() throws IOException {
        parts = dir.resolve("parts <b>&");
        SimulatedDataset.export(parts, List.of("fabric"), 0, 8, 3, Lamp.TUBE);
        model = BundledModel.unpack(dir).orElseThrow();
    }

    @BeforeEach
    void folder(@TempDir Path each) {
        report = each.resolve("out");
    }

    private int run(Object... args) {
        CommandLine line = Linesight.commandLine();
        line.setOut(new PrintWriter(out, true));
        line.setErr(new PrintWriter(err, true));
        List<String> all = new ArrayList<>(List.of("evaluate", "--device", "cpu", "--threads", "1"));
        for (Object a : args) all.add(String.valueOf(a));
        return line.execute(all.toArray(String[]::new));
    }

    private String page() throws IOException {
        try (var files = Files.list(report)) {
            assertThat(files).as("one file and nothing beside it").containsExactly(report.resolve("report.html"));
        }
        return Files.readString(report.resolve("report.html"));
    }

    private static List<RgbImage> inlined(String page) throws Exception {
        List<RgbImage> images = new ArrayList<>();
        for (Matcher m = INLINED.matcher(page); m.find(); )
            images.add(ImageCodec.decode(Base64.getDecoder().decode(m.group(1)), ImageLimits.defaults()));
        return images;
    }

    @Test
    void shouldWriteAReportOfTwoCheckpoints() throws Exception {
        Path json = dir.resolve("figures.json");
        assertThat(run(
                        "--data",
                        parts,
                        "--model",
                        model,
                        "--compare",
                        model,
                        "--report",
                        report,
                        "--gallery",
                        5,
                        "--json",
                        json))
                .as(err.toString())
                .isZero();
        assertThat(err.toString()).contains("layout mvtec found: fabric");
        String page = page();
        JsonNode mean = new ObjectMapper().readTree(json.toFile()).get("mean");
        for (String figure : List.of("imageAuroc", "pixelAp", "aupro", "mad")) {
            assertThat(page)
                    .contains("<td>"
                            + String.format(
                                    Locale.ROOT, "%.1f", 100 * mean.get(figure).asDouble()) + "</td>");
        }
        assertThat(page).contains("parts &lt;b&gt;&amp;").doesNotContain("parts <b>");
        List<RgbImage> images = inlined(page);
        long truths = page.split("alt=\"ground truth\"", -1).length - 1;
        assertThat(truths).isBetween(1L, 5L);
        assertThat(images).hasSize((int) (5 * 3 + truths)).allSatisfy(i -> assertThat(Math.max(i.width(), i.height()))
                .isLessThanOrEqualTo(256));
        // The same checkpoint twice: the same maps, no difference anywhere.
        assertThat(page).doesNotContain("class=\"up\"", "class=\"down\"");
        Matcher maps = Pattern.compile(
                        "alt=\"anomaly map\" " + INLINED + ".*?alt=\"anomaly map of B\" " + INLINED, Pattern.DOTALL)
                .matcher(page);
        int n = 0;
        for (; maps.find(); n++) assertThat(maps.group(1)).isEqualTo(maps.group(2));
        assertThat(n).isEqualTo(5);
    }

    @Test
    void shouldShowWhatIsDecidedDifferently() throws Exception {
        Path blind = dir.resolve("blind.onnx");
        Checkpoints.withCalibration(
                Checkpoint.read(model), blind, new Calibration(new ProductCalibration(1e6, 1), Map.of()));
        assertThat(run("--data", parts, "--model", model, "--compare", blind, "--report", report))
                .as(err.toString())
                .isZero();
        String page = page();
        String[] images =
                page.substring(page.indexOf("<div class=\"gallery\">")).split("<article>");
        assertThat(images).hasSize(1 + 8);
        // The blind one calls nothing anomalous, so the two differ where the other does.
        boolean agreed = false;
        int differing = 0;
        for (int i = 1; i < images.length; i++) {
            boolean rejected = images[i].contains(">found<") || images[i].contains(">false alarm<");
            if (rejected) differing++;
            assertThat(rejected && agreed).as("differing images first").isFalse();
            agreed |= !rejected;
            boolean defective = images[i].contains(">found<") || images[i].contains(">missed<");
            assertThat(images[i].contains("map of B, own scale"))
                    .as("a miss of the blind one is not left blank")
                    .isEqualTo(defective);
        }
        assertThat(differing).isPositive();
        assertThat(page)
                .contains("<td rowspan=\"2\">" + differing + "</td>", "its fallback threshold applies", "1000000*");
    }

    @Test
    void shouldReadTheSameImagesInOtherLayouts() throws Exception {
        Path plain = dir.resolve("plain");
        Path table = dir.resolve("visa");
        StringBuilder rows = new StringBuilder("object,split,label,image,mask\n");
        try (var files = Files.walk(parts.resolve("fabric/test"))) {
            for (Path f : files.filter(Files::isRegularFile).sorted().toList()) {
                String kind = f.getParent().getFileName().toString();
                boolean good = kind.equals("good");
                Path to = plain.resolve("fabric")
                        .resolve(good ? "good" : "bad/" + kind)
                        .resolve(f.getFileName());
                Files.createDirectories(to.getParent());
                Files.copy(f, to);
                Path image = table.resolve("fabric").resolve(kind).resolve(f.getFileName());
                Files.createDirectories(image.getParent());
                Files.copy(f, image);
                String mask = "";
                if (!good) {
                    mask = "fabric/masks/" + kind + "-"
                            + f.getFileName().toString().replaceAll("\\..*", ".png");
                    Files.createDirectories(table.resolve("fabric/masks"));
                    Files.copy(
                            parts.resolve("fabric/ground_truth")
                                    .resolve(kind)
                                    .resolve(f.getFileName().toString().replaceAll("\\..*", "_mask.png")),
                            table.resolve(mask));
                }
                rows.append("fabric,test,")
                        .append(good ? "normal" : "anomaly")
                        .append(',')
                        .append(table.relativize(image))
                        .append(',')
                        .append(mask)
                        .append('\n');
            }
        }
        Files.writeString(table.resolve("1cls.csv"), rows);
        assertThat(run("--data", parts, "--model", model)).isZero();
        String expected = out.toString();
        assertThat(run("--data", table, "--model", model)).as(err.toString()).isZero();
        assertThat(out).hasToString(expected + expected);
        assertThat(run("--data", plain, "--model", model, "--report", report, "--gallery", 2))
                .as(err.toString())
                .isZero();
        assertThat(err.toString()).contains("layout visa found", "layout folder found");
        assertThat(page())
                .contains("no defective image has ground truth", "<span>ground truth</span>")
                .doesNotContain("alt=\"ground truth\"");
        assertThat(inlined(page())).hasSize(4);
    }

    @Test
    void shouldSayWhatIsWrong() throws Exception {
        Path csv = Files.writeString(
                dir.resolve("broken.csv"), "object,split,label,image,mask\nfabric,test,normal,nowhere.png,\n");
        assertThat(run("--data", dir, "--csv", csv, "--model", model)).isEqualTo(1);
        assertThat(err.toString())
                .contains("broken.csv line 2: there is no image")
                .contains("nowhere.png");
        assertThat(run("--data", parts, "--layout", "tree", "--model", model)).isEqualTo(2);
        assertThat(run("--data", parts, "--layout", "folder", "--csv", csv, "--model", model))
                .isEqualTo(2);
        assertThat(run("--data", parts, "--gallery", "-1", "--model", model)).isEqualTo(2);
        assertThat(run("--data", parts, "--model", model, "--compare", csv)).isEqualTo(1);
        assertThat(run("--data", parts, "--model", model, "--compare", dir.resolve("none.onnx")))
                .isEqualTo(1);
        assertThat(err.toString()).contains("not an ONNX", "none.onnx").doesNotContain("\tat ");
        assertThat(out.toString()).isEmpty();
    }

    @Test
    void shouldStopAtUnreadableImagesOrSkipThem() throws Exception {
        Path broken = dir.resolve("broken");
        SimulatedDataset.export(broken, List.of("fabric"), 0, 4, 7, Lamp.TUBE);
        Path image = Files.write(broken.resolve("fabric/test/good/zz.jpg"), new byte[] {(byte) 0xff, (byte) 0xd8, 1});
        List<Path> masks;
        try (var files = Files.walk(broken.resolve("fabric/ground_truth"))) {
            masks = files.filter(Files::isRegularFile).sorted().toList();
        }
        assertThat(masks).hasSize(2);
        Path mask = masks.get(0);
        Files.write(mask, ImageCodec.encodeJpeg(new RgbImage(8, 8, new byte[192]), 90));
        assertThat(run("--data", broken, "--model", model, "--report", report)).isEqualTo(1);
        assertThat(err.toString())
                .contains("fabric/good/" + image.getFileName(), mask.toString(), "save it as PNG", "--skip-unreadable");
        assertThat(report.resolve("report.html")).doesNotExist();
        assertThat(run("--data", broken, "--model", model, "--report", report, "--skip-unreadable"))
                .as(err.toString())
                .isZero();
        assertThat(page()).contains("2 unreadable and left out");
        // Empty: the folder says that the image is defective, and a mask that marks nothing takes nothing from that.
        Files.write(masks.get(1), ImageCodec.encodeGrayPng(new byte[8 * 16], 8, 16));
        assertThat(run("--data", broken, "--model", model, "--report", report, "--skip-unreadable"))
                .as(err.toString())
                .isZero();
        assertThat(page())
                .contains("2 normal and 1 defective images", "no defective image has ground truth")
                .doesNotContain("NaN");
        // Of another shape: stretched, and the report says so.
        byte[] marked = new byte[8 * 16];
        Arrays.fill(marked, 40, 60, (byte) 255);
        Files.write(masks.get(1), ImageCodec.encodeGrayPng(marked, 8, 16));
        assertThat(run("--data", broken, "--model", model, "--report", report, "--skip-unreadable"))
                .as(err.toString())
                .isZero();
        assertThat(page())
                .contains("2 normal and 1 defective images", "other proportions than the image")
                .doesNotContain("NaN");
    }
}

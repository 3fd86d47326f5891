package io.linesight.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.linesight.mmad.image.ImageCodec;
import io.linesight.mmad.image.RgbImage;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** What commands say of the files that they were given, for people and for programs. */
class FilesSummaryTest {
    @TempDir
    Path dir;

    private Path data;
    private Path json;
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @BeforeEach
    void folders() {
        data = dir.resolve("data");
        json = dir.resolve("out/summary.json");
    }

    private int run(Object... words) {
        out.getBuffer().setLength(0);
        err.getBuffer().setLength(0);
        CommandLine line =
                Linesight.commandLine().setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));
        return line.execute(Arrays.stream(words).map(Object::toString).toArray(String[]::new));
    }

    private JsonNode files() throws IOException {
        return new ObjectMapper().readTree(json.toFile()).get("files");
    }

    private void png(String file, int width) throws IOException {
        byte[] rgb = new byte[3 * width * 8];
        for (int i = 0; i < rgb.length; i++) rgb[i] = (byte) (i * file.hashCode());
        write(file, ImageCodec.encodePng(new RgbImage(width, 8, rgb)));
    }

    private void write(String file, byte[] bytes) throws IOException {
        Files.createDirectories(data.resolve(file).getParent());
        Files.write(data.resolve(file), bytes);
    }

    @Test
    void shouldSayWhatARefusedFitWouldHaveUsed() throws IOException {
        png("bolt/train/good/0.png", 8);
        for (String other : new String[] {"1.heic", "2.jp2", "3.psd"}) write("bolt/train/good/" + other, new byte[9]);
        assertThat(run("fit", "--data", data, "--epochs", 1, "--out", dir.resolve("m.onnx"), "--json", json))
                .isEqualTo(1);
        assertThat(err.toString())
                .contains("Would use 1 image" + System.lineSeparator())
                .contains("left out 3 images in a format that is not read")
                .contains("more images would be left out (3) than used (1)")
                .doesNotContain("Used 0");
        assertThat(files().get("found").asInt()).isEqualTo(1);
        assertThat(files().at("/leftOut/other_format/count").asInt()).isEqualTo(3);
        assertThat(new ObjectMapper().readTree(json.toFile()).get("refused").asText())
                .contains("left out (3)");
    }

    @Test
    void shouldImportByTheSharedOptionsAndSayWhat() throws IOException {
        png("bolt/train/good/0.png", 64);
        png("bolt/test/good/1.png", 64);
        BufferedImage dark = new BufferedImage(64, 8, BufferedImage.TYPE_USHORT_GRAY);
        for (int i = 0; i < 512; i++) dark.getRaster().setSample(i % 64, i / 64, 0, i * 8);
        ImageIO.write(dark, "png", data.resolve("bolt/train/good/2.png").toFile());
        write("bolt/train/good/readme.txt", new byte[4]);
        Path trainer = dir.resolve("trainer");
        assertThat(run("train", "--dir", trainer, "--import", data, "--max-pixels", 500))
                .isEqualTo(1);
        assertThat(err.toString()).contains("--max-pixels", "64x8");
        assertThat(run("train", "--dir", trainer, "--import", data, "--sample-bits", 12, "--json", json))
                .as(err.toString())
                .isZero();
        assertThat(out.toString()).contains("Imported 3 images");
        assertThat(files().get("used").asInt()).isEqualTo(3);
        assertThat(files().at("/leftOut/no_image/count").asInt()).isEqualTo(1);
        assertThat(files().at("/notes/range").isMissingNode())
                .as("12 bits were said")
                .isTrue();
        assertThat(run("train", "--dir", trainer, "--export", dir.resolve("all"), "--json", json))
                .isEqualTo(CommandLine.ExitCode.USAGE);
        assertThat(err.toString()).contains("--json goes with --import");
    }

    @Test
    void shouldImportAWholeDataSetWhateverItsLayout() throws IOException {
        png("sdd/kos01/Part0.png", 64);
        png("sdd/kos01/Part1.png", 64);
        byte[] mask = new byte[64 * 8];
        write("sdd/kos01/Part0_label.png", ImageCodec.encodeGrayPng(mask, 64, 8));
        Arrays.fill(mask, 70, 90, (byte) 255);
        write("sdd/kos01/Part1_label.png", ImageCodec.encodeGrayPng(mask, 64, 8));
        assertThat(run("train", "--dir", dir.resolve("t"), "--import", data, "--json", json))
                .as(err.toString())
                .isZero();
        assertThat(files().get("used").asInt()).isEqualTo(2);
        assertThat(run("train", "--dir", dir.resolve("t"), "--export", dir.resolve("all")))
                .isZero();
        assertThat(dir.resolve("all/sdd/test/anomalous")).isNotEmptyDirectory();
    }
}

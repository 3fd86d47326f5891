package io.linesight.trainer.distill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.linesight.mmad.image.ImageCodec;
import io.linesight.mmad.image.RgbImage;
import io.linesight.trainer.folders.DatasetException;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PhotosTest {
    private static final int SIDE = 160;
    private static final long BUDGET = 50_000_000;

    @TempDir
    Path dir;

    private Path photos;
    private Path evaluation;

    @BeforeEach
    void folders() throws IOException {
        photos = Files.createDirectories(dir.resolve("photos/nested"));
        evaluation = Files.createDirectories(dir.resolve("evaluation"));
    }

    /** An image of rich contrast all over, as a photograph is; another for every seed. */
    static RgbImage scene(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        Canvas canvas = new Canvas(SIDE);
        float[] coarse = Canvas.noise(random, SIDE, 0.04, 0.04, 0, 3, 0.5);
        float[] a = {(float) random.nextDouble(0.2), 0.1f, 0.2f};
        float[] b = {0.9f, (float) random.nextDouble(0.7, 1), 0.8f};
        canvas.colour(coarse, a, b);
        byte[] rgb = new byte[3 * SIDE * SIDE];
        for (int i = 0; i < SIDE * SIDE; i++)
            for (int c = 0; c < 3; c++)
                rgb[3 * i + c] = (byte) Math.round(255 * Math.max(0, Math.min(1, canvas.rgb[c][i])));
        return new RgbImage(SIDE, SIDE, rgb);
    }

    private static RgbImage scaled(RgbImage image, int width, int height) {
        BufferedImage from = new BufferedImage(image.width(), image.height(), BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < image.width() * image.height(); i++) {
            from.setRGB(
                    i % image.width(),
                    i / image.width(),
                    (image.rgb()[3 * i] & 255) << 16
                            | (image.rgb()[3 * i + 1] & 255) << 8
                            | image.rgb()[3 * i + 2] & 255);
        }
        BufferedImage to = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        Graphics2D g = to.createGraphics();
        g.setRenderingHint(RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
        g.drawImage(from, 0, 0, width, height, null);
        g.dispose();
        byte[] rgb = new byte[3 * width * height];
        for (int i = 0; i < width * height; i++) {
            int v = to.getRGB(i % width, i / width);
            for (int c = 0; c < 3; c++) rgb[3 * i + c] = (byte) (v >> 16 - 8 * c);
        }
        return new RgbImage(width, height, rgb);
    }

    private Photos load(List<Path> exclude, long budget) {
        DistillOptions.Photographs wanted = DistillOptions.of(List.of(), null, null)
                .photographs()
                .withFolders(List.of(dir.resolve("photos")))
                .withExclude(exclude)
                .withMaxBytes(budget);
        return Photos.load(wanted, 42, new PrintStream(new ByteArrayOutputStream()));
    }

    private void shouldReject(String name, byte[] disguised) throws IOException {
        Path file = photos.resolve(name);
        Files.write(file, disguised);
        assertThatThrownBy(() -> load(List.of(evaluation), BUDGET))
                .isInstanceOf(DatasetException.class)
                .hasMessageContaining(file.toString())
                .hasMessageContaining(evaluation.resolve("e.png").toString())
                .hasMessageContaining("must not be learned from");
        Files.delete(file);
    }

    @Test
    void shouldRejectAnEvaluationImageHoweverItIsPackedOrScaled() throws IOException {
        RgbImage image = scene(11);
        Files.write(evaluation.resolve("e.png"), ImageCodec.encodePng(image));
        for (int i = 0; i < 8; i++)
            Files.write(photos.resolve("other" + i + ".png"), ImageCodec.encodePng(scene(100 + i)));
        assertThat(load(List.of(evaluation), BUDGET).size())
                .as("what is not among them passes")
                .isEqualTo(8);
        shouldReject("same.png", ImageCodec.encodePng(image));
        shouldReject("compressed.jpg", ImageCodec.encodeJpeg(image, 50));
        shouldReject("smaller.png", ImageCodec.encodePng(scaled(image, 120, 120)));
        shouldReject("larger, stretched and compressed.jpeg", ImageCodec.encodeJpeg(scaled(image, 331, 270), 70));
    }

    @Test
    void shouldTellDifferentImagesApart() {
        for (int i = 0; i < 30; i++) {
            for (int j = 0; j < i; j++)
                assertThat(ImageHash.of(scene(i)).same(ImageHash.of(scene(j))))
                        .as("scenes %d and %d", i, j)
                        .isFalse();
        }
    }

    @Test
    void shouldRejectAnImageToExcludeThatCannotBeRead() throws IOException {
        Files.write(photos.resolve("a.png"), ImageCodec.encodePng(scene(1)));
        Path broken = evaluation.resolve("broken.png");
        Files.write(broken, new byte[] {1, 2, 3});
        assertThatThrownBy(() -> load(List.of(evaluation), BUDGET))
                .isInstanceOf(DatasetException.class)
                .hasMessageContaining(broken.toString())
                .hasMessageContaining("cannot be read");
    }

    @Test
    void shouldLeaveOutAndCountWhatIsRepeatedSmallFlatUnreadableOrTooMuch() throws IOException {
        Files.write(photos.resolve("a.png"), ImageCodec.encodePng(scene(1)));
        Files.write(photos.resolve("b.png"), ImageCodec.encodePng(scene(2)));
        Files.write(photos.resolve("again.jpg"), ImageCodec.encodeJpeg(scene(1), 80));
        Files.write(photos.resolve("small.png"), ImageCodec.encodePng(scaled(scene(3), 95, 200)));
        Files.write(
                photos.resolve("flat.png"), ImageCodec.encodePng(new RgbImage(SIDE, SIDE, new byte[3 * SIDE * SIDE])));
        Files.write(photos.resolve("broken.jpg"), new byte[100]);
        assertThat(load(List.of(), BUDGET).summary())
                .startsWith("2 photographs kept")
                .contains("1 repeated", "2 too small or flat", "1 unreadable", "0 over");
        assertThat(load(List.of(), 3 * SIDE * SIDE).summary())
                .startsWith("1 photographs kept")
                .endsWith("1 over the memory budget");
        assertThatThrownBy(() -> load(List.of(), 10))
                .isInstanceOf(DatasetException.class)
                .hasMessageContaining("no usable photograph");
    }
}

package io.linesight.trainer.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.linesight.mmad.image.ImageCodec;
import io.linesight.mmad.image.RgbImage;
import io.linesight.trainer.folders.DatasetException;
import io.linesight.trainer.folders.DatasetLayout;
import io.linesight.trainer.folders.ImageSource;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Images of all kinds, good and bad, as they lie in folders. */
class TrainingSetTest {
    @TempDir
    Path dir;

    private final ByteArrayOutputStream said = new ByteArrayOutputStream();
    private final PrintStream progress = new PrintStream(said, true, StandardCharsets.UTF_8);
    private Path good;

    @BeforeEach
    void folders() throws IOException {
        good = Files.createDirectories(dir.resolve("parts/weave/train/good"));
    }

    private void png(String name, int seed) throws IOException {
        Files.write(good.resolve(name), ImageCodec.encodePng(TextureSource.weave(seed, false)));
    }

    private ImageSource source() {
        return DatasetLayout.openForTraining(List.of(dir.resolve("parts")), List.of(), null, null)
                .source();
    }

    private int readAll(boolean skip) throws IOException {
        TrainingSet set = TrainingSet.of(source(), skip, progress);
        int n = 0;
        for (Map.Entry<String, List<ImageSource.Sample>> e : set.training().entrySet())
            n += set.read(e.getKey(), e.getValue()).size();
        for (List<byte[]> held : set.calibrationFrames().values()) n += held.size();
        return n;
    }

    /** A JPEG that calls itself arithmetic, which nothing here decodes. */
    private static byte[] arithmetic() {
        byte[] jpeg = ImageCodec.encodeJpeg(TextureSource.weave(9, false), 90);
        for (int i = 2; i + 3 < jpeg.length; i += 2 + ((jpeg[i + 2] & 255) << 8 | jpeg[i + 3] & 255))
            if (jpeg[i + 1] == (byte) 0xc0) {
                jpeg[i + 1] = (byte) 0xc9;
                break;
            }
        return jpeg;
    }

    /** With an EXIF block that says: turn by 90 degrees. */
    private static byte[] turned(byte[] jpeg) {
        byte[] exif = {
            (byte) 0xff,
            (byte) 0xe1,
            0,
            34,
            'E',
            'x',
            'i',
            'f',
            0,
            0,
            'M',
            'M',
            0,
            42,
            0,
            0,
            0,
            8,
            0,
            1,
            1,
            0x12,
            0,
            3,
            0,
            0,
            0,
            1,
            0,
            6,
            0,
            0,
            0,
            0,
            0,
            0
        };
        byte[] out = Arrays.copyOf(jpeg, jpeg.length + exif.length);
        System.arraycopy(exif, 0, out, 2, exif.length);
        System.arraycopy(jpeg, 2, out, 2 + exif.length, jpeg.length - 2);
        return out;
    }

    @Test
    void shouldNameEveryImageThatCannotBeUsedAndWhy() throws IOException {
        for (int i = 0; i < 6; i++) png(i + ".png", i);
        Files.write(good.resolve("other.jpg"), arithmetic());
        byte[] whole = ImageCodec.encodePng(TextureSource.weave(9, false));
        Files.write(good.resolve("cut.png"), Arrays.copyOf(whole, whole.length / 2));
        Files.write(good.resolve("empty.png"), new byte[0]);
        Files.writeString(good.resolve("text.png"), "not an image at all");
        assertThatThrownBy(() -> readAll(false))
                .isInstanceOf(DatasetException.class)
                .hasMessageContaining("4 images cannot be read")
                .hasMessageContaining("--skip-unreadable")
                .hasMessageContaining("weave/good/other.jpg (JPEG of process 9 (lossless, hierarchical or arithmetic)")
                .hasMessageContaining("weave/good/cut.png (PNG truncated")
                .hasMessageContaining("weave/good/empty.png")
                .hasMessageContaining("weave/good/text.png (not a JPEG or PNG");
        assertThat(readAll(true)).isEqualTo(6);
        assertThat(said.toString(StandardCharsets.UTF_8))
                .contains("4 unreadable images are left out")
                .contains("other.jpg");
    }

    @Test
    void shouldReadDeepPaletteAndGreyImagesAndIgnoreOrientation() throws Exception {
        png("a.png", 1);
        BufferedImage deep = new BufferedImage(32, 16, BufferedImage.TYPE_USHORT_GRAY);
        for (int x = 0; x < 32; x++) deep.getRaster().setSample(x, 3, 0, 0x1200 + x);
        ImageIO.write(deep, "png", good.resolve("deep.png").toFile());
        BufferedImage palette = new BufferedImage(32, 16, BufferedImage.TYPE_BYTE_INDEXED);
        palette.setRGB(4, 4, 0xff0000);
        ImageIO.write(palette, "png", good.resolve("palette.png").toFile());
        ImageIO.write(
                new BufferedImage(32, 16, BufferedImage.TYPE_BYTE_GRAY),
                "png",
                good.resolve("grey.png").toFile());
        byte[] jpeg = ImageCodec.encodeJpeg(new RgbImage(32, 16, new byte[3 * 512]), 90);
        Files.write(good.resolve("turned.jpg"), turned(jpeg));
        assertThat(readAll(false)).isEqualTo(5);
        for (ImageSource.Sample s : source().train("weave")) {
            RgbImage image = s.image().read();
            if (s.name().equals("good/a.png")) continue;
            assertThat(new int[] {image.width(), image.height()})
                    .as(s.name() + ", as the sensor saw it")
                    .containsExactly(32, 16);
            if (s.name().equals("good/deep.png"))
                assertThat(image.rgb()[3 * 3 * 32]).as("the upper 8 of 16 bits").isEqualTo((byte) 0x12);
            if (s.name().equals("good/palette.png"))
                assertThat(Arrays.copyOfRange(image.rgb(), 3 * (4 * 32 + 4), 3 * (4 * 32 + 4) + 3))
                        .containsExactly((byte) 0xff, 0, 0);
        }
    }

    @Test
    void shouldNameCategoriesWithoutNormals() throws IOException {
        png("a.png", 1);
        Files.createDirectories(dir.resolve("parts/empty/train/good"));
        Files.createDirectories(dir.resolve("parts/untrained/test/good"));
        assertThatThrownBy(() -> TrainingSet.of(source(), false, progress))
                .isInstanceOf(DatasetException.class)
                .hasMessageContaining("empty, untrained");
    }

    @Test
    void shouldSetApartForStoppingWhatServesNothingElse() throws IOException {
        for (int i = 0; i < 60; i++) png(i + ".png", i);
        TrainingSet plain = TrainingSet.of(source(), false, progress);
        TrainingSet set = TrainingSet.of(source(), false, progress, true);
        assertThat(plain.validation().get("weave")).isEmpty();
        assertThat(set.heldOut().get("weave"))
                .extracting("name")
                .isEqualTo(plain.heldOut().get("weave").stream()
                        .map(ImageSource.Sample::name)
                        .toList());
        assertThat(set.validation().get("weave")).hasSize(5);
        Set<String> all = new HashSet<>();
        for (Map<String, List<ImageSource.Sample>> part : List.of(set.training(), set.heldOut(), set.validation()))
            part.get("weave").forEach(s -> assertThat(all.add(s.name())).isTrue());
        assertThat(all).hasSize(60);
        assertThat(TrainingSet.of(source(), false, progress, true).validation().get("weave"))
                .extracting("name")
                .isEqualTo(set.validation().get("weave").stream()
                        .map(ImageSource.Sample::name)
                        .toList());
    }

    @Test
    void shouldLearnFromGoodImagesOfThePlainLayout() throws IOException {
        Path plain = Files.createDirectories(dir.resolve("plain/good"));
        Files.createDirectories(dir.resolve("plain/bad"));
        Files.write(plain.resolve("a.png"), ImageCodec.encodePng(TextureSource.weave(1, false)));
        Files.write(dir.resolve("plain/bad/b.png"), ImageCodec.encodePng(TextureSource.weave(2, true)));
        DatasetLayout.Opened opened =
                DatasetLayout.openForTraining(List.of(dir.resolve("plain")), List.of(), null, null);
        assertThat(opened.source().train("plain")).extracting("name").containsExactly("good/a.png");
        assertThat(opened.source().test("plain")).extracting("name").containsExactly("bad/b.png");
        assertThat(opened.notes()).contains("all good images are learned from: measure on others");
    }

    @Test
    void shouldNotHoldOutMoreImagesThanTheHeapHasRoomFor() {
        List<ImageSource.Sample> many = IntStream.range(0, 50_000)
                .mapToObj(i -> ImageSource.Sample.normal("good/" + i, () -> {
                    throw new AssertionError("no image is read");
                }))
                .toList();
        ImageSource source = new ImageSource() {
            @Override
            public String name() {
                return "many";
            }

            @Override
            public List<String> categories() {
                return List.of("weave");
            }

            @Override
            public List<Sample> train(String category) {
                return many;
            }
        };
        TrainingSet set = TrainingSet.of(source, false, progress);
        assertThat(set.heldOut().get("weave")).hasSize(1000);
        assertThat(set.size()).isEqualTo(49_000);
    }
}

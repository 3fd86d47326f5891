package io.linesight.trainer.retrieval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.linesight.mmad.checkpoint.Checkpoint;
import io.linesight.mmad.checkpoint.RememberedImage;
import io.linesight.mmad.image.ImageCodec;
import io.linesight.mmad.image.ImageLimits;
import io.linesight.mmad.image.Preprocess;
import io.linesight.mmad.image.RgbImage;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.mmad.score.OrtScorer;
import io.linesight.mmad.score.Scores;
import io.linesight.trainer.calibration.CalibrationRule;
import io.linesight.trainer.dataset.ImageRules;
import io.linesight.trainer.folders.DatasetException;
import io.linesight.trainer.folders.ImageSource;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Small memories on painted images, with the filter bank as encoder. */
class RetrievalFitTest {
    @TempDir
    Path dir;

    private final Map<String, List<ImageSource.Sample>> normals = new TreeMap<>();
    private final ByteArrayOutputStream said = new ByteArrayOutputStream();

    private final ImageSource source = new ImageSource() {
        @Override
        public String name() {
            return "images";
        }

        @Override
        public List<String> categories() {
            return List.copyOf(normals.keySet());
        }

        @Override
        public List<Sample> train(String category) {
            return normals.get(category);
        }
    };

    /** Stripes of a product's own width and colour, with a little noise. */
    private static RgbImage stripes(String product, long seed) {
        Random random = new Random(seed);
        int width = product.equals("cap") ? 6 : 15;
        int light = product.equals("cap") ? 150 : 220;
        byte[] rgb = new byte[3 * 256 * 256];
        for (int p = 0; p < 256 * 256; p++) {
            boolean dark = p % 256 / width % 2 == 0;
            for (int c = 0; c < 3; c++)
                rgb[3 * p + c] =
                        (byte) Math.max(0, Math.min(255, (dark ? 60 : light) + 20 * c + 6 * random.nextGaussian()));
        }
        return new RgbImage(256, 256, rgb);
    }

    private static RgbImage scratched(String product, long seed) {
        RgbImage image = stripes(product, seed);
        for (int y = 90; y < 150; y++)
            for (int x = 100; x < 112; x++)
                Arrays.fill(image.rgb(), 3 * (y * 256 + x), 3 * (y * 256 + x) + 3, (byte) 255);
        return image;
    }

    private void product(String name, int images) {
        for (int i = 0; i < images; i++) {
            int seed = i;
            normals.computeIfAbsent(name, k -> new ArrayList<>())
                    .add(ImageSource.Sample.normal("good/" + i, () -> stripes(name, seed)));
        }
    }

    private RetrievalResult fit(int images, int neighbours) throws Exception {
        return RetrievalFit.run(new RetrievalOptions(
                source,
                ImageRules.defaults(),
                null,
                new RetrievalOptions.Memory(images, neighbours, 0, 42),
                CalibrationRule.defaults(),
                1,
                new RetrievalOptions.Output(
                        dir.resolve("m.onnx"), dir, "", new PrintStream(said, true, StandardCharsets.UTF_8))));
    }

    private Scores score(RgbImage... images) {
        try (OrtScorer scorer = OrtScorer.open(
                dir.resolve("m.onnx"),
                ScorerOptions.defaults().withDevice("cpu").withThreads(1))) {
            return scorer.score(
                    Arrays.stream(images).map(Preprocess::toModelInput).toList());
        }
    }

    @Test
    void shouldTellAScratchFromGoodPartsOfEveryProduct() throws Exception {
        product("cap", 16);
        product("lid", 16);
        RetrievalResult r = fit(500, 50);
        assertThat(r.remembered()).isEqualTo(24);
        assertThat(r.thumbnails()).isEqualTo(24);
        assertThat(dir.toFile().list()).containsExactly("m.onnx");
        for (String product : normals.keySet()) {
            Scores s = score(stripes(product, 1001), stripes(product, 1002), scratched(product, 1003));
            double threshold = r.info().calibration().forProduct(product).threshold();
            assertThat(s.raw()[2]).isGreaterThan((float) threshold);
            assertThat(s.raw()[2]).isGreaterThan(2 * Math.max(s.raw()[0], s.raw()[1]));
            List<RememberedImage> known = RememberedImage.of(r.info());
            for (int image : s.nearest().images())
                assertThat(known.get(image).product()).isEqualTo(product);
            float[] map = s.map(2);
            assertThat(map[120 * 256 + 106]).isGreaterThan(4 * Math.max(1, map[30 * 256 + 30]));
        }
    }

    @Test
    void shouldKeepThumbnailsOfTheImagesUnderTheirNames() throws Exception {
        product("cap", 12);
        RetrievalResult r = fit(500, 50);
        List<RememberedImage> images =
                RememberedImage.of(Checkpoint.read(r.checkpoint()).info());
        assertThat(images).hasSize(r.remembered());
        for (RememberedImage image : images) {
            assertThat(normals.get("cap")).anyMatch(s -> s.name().equals(image.name()));
            RgbImage small = ImageCodec.decode(image.thumbnail(), ImageLimits.defaults());
            assertThat(small.width()).isEqualTo(96);
            assertThat(small.rgb()[1] & 0xff).as("a dark stripe first").isLessThan(140);
        }
    }

    @Test
    void shouldRememberTheMostDifferentImagesWhereBounded() throws Exception {
        product("cap", 20);
        // Two looks, of which one is rare.
        for (int i = 0; i < 3; i++) {
            int seed = i;
            normals.get("cap").add(ImageSource.Sample.normal("good/rare" + i, () -> stripes("xylophone", seed)));
        }
        RetrievalResult r = fit(2, 50);
        assertThat(r.remembered()).isEqualTo(2);
        assertThat(r.images()).isGreaterThan(15);
        List<String> names =
                RememberedImage.of(r.info()).stream().map(RememberedImage::name).toList();
        assertThat(names).filteredOn(n -> n.contains("rare")).hasSize(1);
        // Those left out are good images too, and as new as those held out.
        assertThat(r.info().calibration().forProduct("cap").basis().normals()).isEqualTo(23);
    }

    @Test
    void shouldCompareWithAllWhereThereAreFewerThanNeighbours() throws Exception {
        product("cap", 6);
        RetrievalResult many = fit(500, 1000);
        float[] all = score(stripes("cap", 77), scratched("cap", 78)).raw();
        RetrievalResult few = fit(500, many.remembered());
        assertThat(score(stripes("cap", 77), scratched("cap", 78)).raw()).isEqualTo(all);
        assertThat(few.remembered()).isEqualTo(many.remembered());
        assertThat(all[1]).isGreaterThan(all[0]);
    }

    @Test
    void shouldWorkWithASingleImage() throws Exception {
        product("cap", 1);
        RetrievalResult r = fit(500, 50);
        assertThat(r.remembered()).isEqualTo(1);
        float[] raw = score(stripes("cap", 5), scratched("cap", 6)).raw();
        assertThat(raw[0]).isFinite();
        assertThat(raw[1]).isGreaterThan(raw[0]);
    }

    @Test
    void shouldBorrowLevelsForAProductWithASingleImage() throws Exception {
        product("cap", 12);
        product("lid", 1);
        fit(500, 50);
        float[] raw = score(stripes("lid", 5), scratched("lid", 6)).raw();
        assertThat(raw[1]).isGreaterThan(raw[0]);
    }

    @Test
    void shouldStayFiniteWhereAllImagesAreTheSame() throws Exception {
        for (int i = 0; i < 10; i++)
            normals.computeIfAbsent("cap", k -> new ArrayList<>())
                    .add(ImageSource.Sample.normal("good/" + i, () -> stripes("cap", 1)));
        fit(500, 50);
        float[] raw = score(stripes("cap", 1), scratched("cap", 1)).raw();
        assertThat(raw[0]).isFinite();
        assertThat(raw[1]).isFinite().isGreaterThan(raw[0]);
    }

    @Test
    void shouldNameAProductWithoutImages() {
        product("cap", 4);
        normals.put("lid", List.of());
        assertThatThrownBy(() -> fit(500, 50))
                .isInstanceOf(DatasetException.class)
                .hasMessageContaining("no normal training images")
                .hasMessageContaining("lid");
        assertThat(dir).isEmptyDirectory();
    }

    @Test
    void shouldSayBeforeAnyWorkWhenACheckpointCannotHoldTheImages() {
        ImageSource.Sample unread = ImageSource.Sample.normal("good/0", () -> {
            throw new AssertionError("no image is read");
        });
        normals.put("cap", java.util.Collections.nCopies(60_000, unread));
        assertThatThrownBy(() -> fit(50_000, 50))
                .isInstanceOf(DatasetException.class)
                .hasMessageContaining("50000 images take")
                .hasMessageContaining("--memory-images")
                .hasMessageContaining("--memory-dimensions 64");
        assertThat(dir).isEmptyDirectory();
    }

    @Test
    void shouldNameAllProblemsOfItsOptions() {
        assertThatThrownBy(() -> new RetrievalOptions(
                                null,
                                ImageRules.defaults(),
                                null,
                                new RetrievalOptions.Memory(0, 5000, 3, 1),
                                CalibrationRule.defaults(),
                                -1,
                                new RetrievalOptions.Output(dir.resolve("m.onnx"), null, "", System.err))
                        .validate())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll(
                        "--memory-images must be 1..50000, got 0",
                        "--neighbours must be 1..1000, got 5000",
                        "--memory-dimensions must be 0 or 8 or more, got 3",
                        "--threads must not be negative, got -1");
    }
}

package io.linesight.trainer.retrieval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.linesight.mmad.checkpoint.Checkpoint;
import io.linesight.mmad.checkpoint.RememberedImage;
import io.linesight.mmad.image.ImageCodec;
import io.linesight.mmad.image.ImageLimits;
import io.linesight.mmad.image.Preprocess;
import io.linesight.mmad.image.RgbImage;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.mmad.score.FoundRegion;
import io.linesight.mmad.score.FrameScorer;
import io.linesight.mmad.score.OrtScorer;
import io.linesight.mmad.score.RegionFinder;
import io.linesight.mmad.score.ScoredFrame;
import io.linesight.mmad.score.Scores;
import io.linesight.mmad.score.SelfTest;
import io.linesight.mmad.view.Roi;
import io.linesight.mmad.view.TilePlan.Grid;
import io.linesight.trainer.calibration.CalibrationRule;
import io.linesight.trainer.dataset.ImageRules;
import io.linesight.trainer.dataset.ViewOptions;
import io.linesight.trainer.dataset.ViewOptions.Tiles;
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

    private GroupBy groupBy = GroupBy.AUTOMATIC;

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
                ViewOptions.WHOLE,
                groupBy,
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

    /** Noise with a pattern of its own in every quarter; large, so that a small spot is lost at 256x256. */
    private static RgbImage large(long seed, boolean spot) {
        Random random = new Random(seed);
        int side = 1024;
        byte[] rgb = new byte[3 * side * side];
        for (int p = 0; p < side * side; p++) {
            int x = p % side;
            int y = p / side;
            int width = 8 * (1 + 2 * (x / 512) + y / 512);
            int base = (y < 512 ? x : y) / width % 2 == 0 ? 90 : 160;
            boolean marked = spot && Math.abs(x - 700) < 6 && Math.abs(y - 300) < 6;
            for (int c = 0; c < 3; c++) rgb[3 * p + c] = (byte) (marked ? 250 : base + random.nextInt(12));
        }
        return new RgbImage(side, side, rgb);
    }

    private RetrievalResult fitTiles(ViewOptions views) throws Exception {
        return RetrievalFit.run(new RetrievalOptions(
                source,
                ImageRules.defaults(),
                null,
                RetrievalOptions.Memory.defaults(42),
                views,
                groupBy,
                CalibrationRule.defaults(),
                1,
                new RetrievalOptions.Output(
                        dir.resolve("m.onnx"), dir, "", new PrintStream(said, true, StandardCharsets.UTF_8))));
    }

    @Test
    void shouldFindInTilesWhatIsLostInTheWhole() throws Exception {
        for (int i = 0; i < 8; i++) {
            int seed = i;
            normals.computeIfAbsent("tray", k -> new ArrayList<>())
                    .add(ImageSource.Sample.normal("good/" + i, () -> large(seed, false)));
        }
        RetrievalResult r = fitTiles(new ViewOptions(Map.of(), Tiles.GRID, new Grid(3, 3), Double.NaN));
        assertThat(r.remembered()).isEqualTo(4);
        assertThat(said.toString(StandardCharsets.UTF_8)).contains("9 tiles of 373x373", "10 views a frame");
        assertThat(RememberedImage.of(Checkpoint.read(dir.resolve("m.onnx")).info()))
                .hasSize(4);
        try (OrtScorer scorer = OrtScorer.open(
                dir.resolve("m.onnx"),
                ScorerOptions.defaults().withDevice("cpu").withThreads(1))) {
            FrameScorer.Frame good =
                    new FrameScorer.Frame("tray", scorer.views().cut("tray", large(1001, false)));
            FrameScorer.Frame spotted =
                    new FrameScorer.Frame("tray", scorer.views().cut("tray", large(1002, true)));
            List<ScoredFrame> scored = FrameScorer.score(scorer, List.of(good, spotted), 8);
            double threshold = r.info().calibration().forProduct("tray").threshold();
            assertThat(scored.get(0).raw()).isLessThan((float) threshold);
            assertThat(scored.get(1).raw()).isGreaterThan((float) threshold);
            FoundRegion region = RegionFinder.find(
                            scored.get(1).map(), scored.get(1).size(), threshold, 1024, 1024, 1)
                    .get(0);
            assertThat(region.peakX()).isBetween(680, 720);
            assertThat(region.peakY()).isBetween(280, 320);
            // Whatever shares the batch, and however views are cut into batches.
            ScoredFrame alone = FrameScorer.score(scorer, List.of(spotted), 3).get(0);
            assertThat(alone.raw()).isCloseTo(scored.get(1).raw(), within(1e-3f));
            assertThat(scored.get(1).batch().nearest().images()[0]).isBetween(0, 3);
            SelfTest.check(scorer);
        }
    }

    @Test
    void shouldRefuseRegionsOutsideTheImagesAndTooManyTiles() {
        product("cap", 8);
        assertThatThrownBy(() -> fitTiles(
                        new ViewOptions(Map.of("", Roi.parse("box:200,0,100,50")), Tiles.NONE, null, Double.NaN)))
                .isInstanceOf(DatasetException.class)
                .hasMessageContaining("product 'cap'")
                .hasMessageContaining("256x256")
                .hasMessageContaining("Nothing was done");
        assertThatThrownBy(() -> fitTiles(
                        new ViewOptions(Map.of("lid", Roi.parse("box:0,0,100,50")), Tiles.NONE, null, Double.NaN)))
                .hasMessageContaining("'lid'")
                .hasMessageContaining("cap");
        assertThatThrownBy(() -> fitTiles(new ViewOptions(Map.of(), Tiles.GRID, new Grid(40, 25), Double.NaN)))
                .hasMessageContaining("1001 views")
                .hasMessageContaining("ms in it on this machine")
                .hasMessageContaining("at most 256");
        assertThatThrownBy(() -> fitTiles(new ViewOptions(Map.of(), Tiles.AUTO, null, Double.NaN)))
                .hasMessageContaining("--smallest-defect");
        assertThat(dir.toFile().list()).isEmpty();
    }

    @Test
    void shouldNameImagesOfAnotherShape() {
        product("cap", 8);
        normals.get("cap").add(ImageSource.Sample.normal("good/tall", () -> new RgbImage(10, 20, new byte[600])));
        assertThatThrownBy(() -> fitTiles(
                        new ViewOptions(Map.of("", Roi.parse("box:20,0,100,50")), Tiles.NONE, null, Double.NaN)))
                .isInstanceOf(DatasetException.class)
                .hasMessageContaining("good/tall")
                .hasMessageContaining("10x20");
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

    @Test
    void shouldSayWhichImagesBelongTogether() throws Exception {
        product("cap", 24);
        product("lid", 1);
        groupBy = GroupBy.of("good/(\\d)");
        RetrievalResult r = fit(500, 50);
        assertThat(r.groups().get("cap").by()).isEqualTo(GroupBy.Kind.PATTERN);
        assertThat(r.groups().get("cap").groups()).isBetween(8, 10);
        assertThat(r.groups().get("lid")).isEqualTo(new RetrievalResult.Groups(GroupBy.Kind.PATTERN, 1, 1));
        assertThat(r.info().calibration().forProduct("cap").basis().method()).isEqualTo("student");
        assertThat(r.info().calibration().forProduct("cap").basis().normals()).isEqualTo(24);
        groupBy = GroupBy.of("shift(\\d)");
        assertThatThrownBy(() -> fit(500, 50))
                .isInstanceOf(DatasetException.class)
                .hasMessageContaining("--group-by shift(\\d) finds nothing");
        assertThat(dir.toFile().list()).containsExactly("m.onnx");
    }
}

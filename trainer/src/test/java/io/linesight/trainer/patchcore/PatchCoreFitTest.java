package io.linesight.trainer.patchcore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.linesight.mmad.image.BadImageException;
import io.linesight.mmad.image.RgbImage;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.mmad.score.FrameScorer;
import io.linesight.mmad.score.OrtScorer;
import io.linesight.mmad.score.ScoredFrame;
import io.linesight.mmad.view.TilePlan;
import io.linesight.trainer.calibration.CalibrationRule;
import io.linesight.trainer.dataset.ImageRules;
import io.linesight.trainer.dataset.ViewOptions;
import io.linesight.trainer.fit.FitOptions;
import io.linesight.trainer.folders.DatasetException;
import io.linesight.trainer.folders.ImageSource;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is wrong with images is said before the encoder sees one. */
class PatchCoreFitTest {
    @TempDir
    Path dir;

    private final Map<String, List<ImageSource.Sample>> normals = new TreeMap<>();
    private final Map<String, List<ImageSource.Sample>> tests = new TreeMap<>();
    private final ByteArrayOutputStream said = new ByteArrayOutputStream();

    private final ImageSource source = new ImageSource() {
        @Override
        public String name() {
            return "pictures";
        }

        @Override
        public List<String> categories() {
            return List.copyOf(normals.keySet());
        }

        @Override
        public List<Sample> train(String category) {
            return normals.get(category);
        }

        @Override
        public List<Sample> test(String category) {
            return tests.getOrDefault(category, List.of());
        }
    };

    private static ImageSource.Sample image(String name, int seed) {
        return ImageSource.Sample.normal(name, () -> {
            byte[] rgb = new byte[3 * 256 * 256];
            new SplittableRandom(seed).nextBytes(rgb);
            return new RgbImage(256, 256, rgb);
        });
    }

    private void category(String name, int from, int to) {
        for (int i = from; i < to; i++)
            normals.computeIfAbsent(name, k -> new ArrayList<>()).add(image("good/" + i, i));
    }

    private PatchCoreOptions options(boolean allowLeakage) {
        return new PatchCoreOptions(
                source,
                new ImageRules(false, true, allowLeakage, false),
                null,
                FitOptions.Recipe.PRESET,
                new PatchCoreOptions.Bank(64, 640, 42),
                CalibrationRule.defaults(),
                1,
                new PatchCoreOptions.Output(
                        dir.resolve("m.onnx"), dir, "", new PrintStream(said, true, StandardCharsets.UTF_8)));
    }

    @Test
    void shouldFindInTilesWhatIsLostInTheWhole() throws Exception {
        for (int i = 0; i < 8; i++) {
            int seed = i;
            normals.computeIfAbsent("tray", k -> new ArrayList<>())
                    .add(ImageSource.Sample.normal("good/" + i, () -> large(seed, false)));
        }
        PatchCoreResult r = PatchCoreFit.run(new PatchCoreOptions(
                source,
                ImageRules.defaults(),
                null,
                FitOptions.Recipe.PRESET,
                new PatchCoreOptions.Bank(64, 640, 42),
                new ViewOptions(Map.of(), ViewOptions.Tiles.GRID, new TilePlan.Grid(3, 3), Double.NaN),
                CalibrationRule.defaults(),
                1,
                new PatchCoreOptions.Output(
                        dir.resolve("m.onnx"), dir, "", new PrintStream(said, true, StandardCharsets.UTF_8))));
        assertThat(r.images()).isEqualTo(4);
        assertThat(dir.toFile().list()).containsExactly("m.onnx");
        double threshold = r.info().calibration().forProduct("tray").threshold();
        try (OrtScorer scorer = OrtScorer.open(
                dir.resolve("m.onnx"),
                ScorerOptions.defaults().withDevice("cpu").withThreads(1))) {
            List<FrameScorer.Frame> frames = new ArrayList<>();
            for (boolean spot : new boolean[] {false, true})
                frames.add(new FrameScorer.Frame("tray", scorer.views().cut("tray", large(1001, spot))));
            List<ScoredFrame> scored = FrameScorer.score(scorer, frames, 4);
            assertThat(scored.get(0).raw()).isLessThan((float) threshold);
            assertThat(scored.get(1).raw()).isGreaterThan((float) threshold);
        }
    }

    /** Noise with a pattern; large, so that a small spot is lost at 256x256. */
    private static RgbImage large(long seed, boolean spot) {
        Random random = new Random(seed);
        int side = 1024;
        byte[] rgb = new byte[3 * side * side];
        for (int p = 0; p < side * side; p++) {
            int x = p % side;
            int y = p / side;
            int base = x / 16 % 2 == 0 ? 90 : 160;
            boolean marked = spot && Math.abs(x - 700) < 8 && Math.abs(y - 300) < 8;
            for (int c = 0; c < 3; c++) rgb[3 * p + c] = (byte) (marked ? 250 : base + random.nextInt(12));
        }
        return new RgbImage(side, side, rgb);
    }

    private String said() {
        return said.toString(StandardCharsets.UTF_8);
    }

    @Test
    void shouldSayWhatIsWrongAndRejectTheWorstBeforeAnyWork() {
        category("big", 0, 24);
        category("lone", 100, 101);
        normals.get("big").add(image("good/again", 3));
        tests.put("big", List.of(image("good/t", 7)));
        assertThatThrownBy(() -> PatchCoreFit.run(options(false)))
                .isInstanceOf(DatasetException.class)
                .hasMessageContaining("nothing was done")
                .hasMessageContaining("big/good/t (test) is big/good/7")
                .hasMessageContaining("--allow-leakage")
                .hasMessageContaining("lone (1)")
                .hasMessageContaining("--allow-few");
        assertThat(said())
                .containsPattern("big/good/(again is big/good/3|3 is big/good/again)")
                .contains("big has ", " images and lone 1: the bank has as much room")
                .doesNotContain("--balance", "choosing", "encode");
        assertThat(dir).as("neither checkpoint nor temporary files").isEmptyDirectory();
    }

    @Test
    void shouldNameAllUnreadableImagesBeforeAnyWork() {
        category("big", 0, 24);
        for (String name : List.of("good/a", "good/b")) {
            normals.get("big").add(ImageSource.Sample.normal(name, () -> {
                throw new BadImageException(BadImageException.Code.EMPTY, "ends early");
            }));
        }
        assertThatThrownBy(() -> PatchCoreFit.run(options(false)))
                .isInstanceOf(DatasetException.class)
                .hasMessageContaining("good/a")
                .hasMessageContaining("good/b");
        assertThat(said()).doesNotContain("choosing", "encode");
        assertThat(dir).isEmptyDirectory();
    }

    @Test
    void shouldContinueWhereAllowed() throws Exception {
        category("big", 0, 24);
        tests.put("big", List.of(image("good/t", 7)));
        PatchCoreResult r = PatchCoreFit.run(options(true));
        assertThat(said())
                .contains(
                        "warning, allowed: 1 test image is learned from too",
                        "choosing 64 of 640 patches of 20 images");
        assertThat(r.images()).isEqualTo(20);
        assertThat(dir.toFile().list()).containsExactly("m.onnx");
    }
}

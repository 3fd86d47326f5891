package io.linesight.mmad.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.linesight.mmad.architecture.ImageMemory;
import io.linesight.mmad.architecture.PatchMemory;
import io.linesight.mmad.architecture.Tensor;
import io.linesight.mmad.checkpoint.Calibration;
import io.linesight.mmad.checkpoint.Checkpoint;
import io.linesight.mmad.checkpoint.Checkpoints;
import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.mmad.checkpoint.RememberedImage;
import io.linesight.mmad.checkpoint.RetrievalModel;
import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.encoder.FrameSession;
import io.linesight.mmad.encoder.TinyEncoder;
import io.linesight.mmad.runtime.ScanMode;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.mmad.scan.NearestPatches;
import io.linesight.mmad.score.OrtScorer;
import io.linesight.mmad.score.Scores;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The graph against the same in plain Java, and the checkpoint around it through the scorer that serves it. */
class RetrievalGraphTest {
    private static final ScorerOptions CPU =
            ScorerOptions.defaults().withDevice("cpu").withThreads(1);
    private static final Calibration CALIBRATION = new Calibration(new ProductCalibration(1, 0.1), Map.of());
    private static final int IMAGES = 6;
    private static final int NEIGHBOURS = 3;
    private static final float[] MEANS = {-3, -2.5f};
    private static final float[] DEVIATIONS = {0.5f, 0.75f};

    @TempDir
    static Path dir;

    private static Encoder encoder;
    private static List<byte[]> frames;
    private static float[][] features;
    private static ImageMemory memory;
    private static Path file;

    @BeforeAll
    static void write() throws IOException {
        // Neither number of channels is a multiple of four.
        encoder = TinyEncoder.create(List.of(8, 30, 22), 17);
        frames = new ArrayList<>();
        for (int i = 0; i < IMAGES + 2; i++) frames.add(frame(i));
        features = features(List.of());
        memory = memory(features, 30, 22, List.of());
        file = dir.resolve("m.onnx");
        Checkpoints.write(file, new RetrievalModel(memory, named(), encoder), CALIBRATION, Map.of());
    }

    private static List<RememberedImage> named() {
        List<RememberedImage> images = new ArrayList<>();
        for (int i = 0; i < IMAGES; i++)
            images.add(new RememberedImage(
                    "product" + i / 3, "good/" + i + ".png", i == 4 ? null : new byte[] {(byte) i, 7}));
        return images;
    }

    /** Blotches of some size, so that neighbouring patches differ. */
    private static byte[] frame(int seed) {
        Random random = new Random(seed);
        byte[] frame = new byte[3 * 256 * 256];
        for (int blotch = 0; blotch < 60; blotch++) {
            int x = random.nextInt(230);
            int y = random.nextInt(230);
            int side = 8 + random.nextInt(40);
            for (int c = 0; c < 3; c++) {
                byte v = (byte) random.nextInt(256);
                for (int r = y; r < Math.min(256, y + side); r++)
                    Arrays.fill(frame, (c * 256 + r) * 256 + x, (c * 256 + r) * 256 + Math.min(256, x + side), v);
            }
        }
        return frame;
    }

    private static float[][] features(List<Tensor> projections) {
        try (FrameSession session = FrameSession.open(
                "encoder",
                RetrievalGraph.features(encoder, projections),
                MmadGraph.FRAMES,
                List.of(RetrievalGraph.patches(0), RetrievalGraph.patches(1), RetrievalGraph.MEAN),
                CPU)) {
            return session.run(frames);
        }
    }

    private static ImageMemory memory(float[][] features, int fine, int coarse, List<Tensor> projections) {
        PatchMemory eight = PatchMemory.create(IMAGES, fine, 32);
        PatchMemory sixteen = PatchMemory.create(IMAGES, coarse, 16);
        for (int i = 0; i < IMAGES; i++) {
            eight.remember(i, features[0], i * eight.paddedChannels() * 1024);
            sixteen.remember(i, features[1], i * sixteen.paddedChannels() * 256);
        }
        float[] scale = new float[22];
        Arrays.fill(scale, 2);
        float[] rows = new float[IMAGES * 22];
        for (int i = 0; i < rows.length; i++) rows[i] = (features[2][i] - 0.25f) * 2;
        float[] shift = new float[22];
        Arrays.fill(shift, 0.25f);
        List<Tensor> levels = new ArrayList<>();
        for (int s = 0; s < 2; s++) {
            int places = s == 0 ? 1024 : 256;
            float[] values = new float[2 * 2 * places];
            for (int product = 0; product < 2; product++) {
                Arrays.fill(values, product * 2 * places, (product * 2 + 1) * places, MEANS[product]);
                Arrays.fill(values, (product * 2 + 1) * places, (product * 2 + 2) * places, DEVIATIONS[product]);
            }
            levels.add(new Tensor(values, 2, 2, places));
        }
        return new ImageMemory(
                List.of(eight, sixteen),
                projections,
                new ImageMemory.Lookup(
                        new Tensor(shift, 22), new Tensor(scale, 22), new Tensor(rows, IMAGES, 22), NEIGHBOURS),
                new int[] {0, 0, 0, 1, 1, 1},
                levels);
    }

    /** Numbers of the remembered images by distance to a frame. */
    private static int[] byDistance(int frame) {
        return java.util.stream.IntStream.range(0, IMAGES)
                .boxed()
                .sorted(java.util.Comparator.comparingDouble(i -> distance(frame, i)))
                .mapToInt(i -> i)
                .toArray();
    }

    private static double distance(int frame, int image) {
        double sum = 0;
        for (int c = 0; c < 22; c++)
            sum += Math.pow(2 * (features[2][frame * 22 + c] - features[2][image * 22 + c]), 2);
        return Math.sqrt(sum / 22);
    }

    private static Scores score(Path checkpoint, ScanMode mode, List<byte[]> given) {
        try (OrtScorer scorer = OrtScorer.open(checkpoint, CPU.withScan(mode))) {
            assertThat(scorer.scanOperator()).isEqualTo(mode == ScanMode.OPERATOR);
            return scorer.score(given);
        }
    }

    @Test
    void shouldGiveTheMapOfTheDistancesInDeviations() {
        Scores scores = score(file, ScanMode.OPERATOR, frames);
        for (int n = 0; n < frames.size(); n++) {
            int[] compared = Arrays.copyOf(byDistance(n), NEIGHBOURS);
            int product = memory.products()[compared[0]];
            double[] map = new double[256 * 256];
            for (int s = 0; s < 2; s++) {
                PatchMemory p = memory.strides().get(s);
                int each = p.paddedChannels() * p.places();
                float[] x = Arrays.copyOfRange(features[s], n * each, (n + 1) * each);
                float[] d = NearestPatches.distances(p, x, compared, 1);
                double[] excess = new double[d.length];
                for (int i = 0; i < d.length; i++)
                    excess[i] = (Math.log(d[i] + 1e-6) - MEANS[product]) / DEVIATIONS[product] / 2;
                addSmoothed(excess, p.side(), map);
            }
            float[] found = scores.map(n);
            for (int i = 0; i < map.length; i++)
                assertThat((double) found[i]).isCloseTo(Math.max(0, map[i]), within(2e-3));
            assertThat(scores.raw()[n]).isCloseTo((float) meanOfHighest(map), within(2e-3f));
        }
    }

    /** 9 times the two matrices that divide by 9 in all. */
    private static void addSmoothed(double[] excess, int side, double[] map) {
        float[] m = AnomalyMapMatrix.of(side);
        double[] half = new double[256 * side];
        for (int y = 0; y < 256; y++)
            for (int x = 0; x < side; x++)
                for (int k = 0; k < side; k++) half[y * side + x] += m[y * side + k] * excess[k * side + x];
        for (int y = 0; y < 256; y++)
            for (int x = 0; x < 256; x++)
                for (int k = 0; k < side; k++) map[y * 256 + x] += 9 * half[y * side + k] * m[x * side + k];
    }

    private static double meanOfHighest(double[] map) {
        double[] coarse = new double[64 * 64];
        for (int i = 0; i < coarse.length; i++) coarse[i] = map[i / 64 * 4 * 256 + i % 64 * 4];
        Arrays.sort(coarse);
        return Arrays.stream(coarse, coarse.length - 41, coarse.length)
                .average()
                .orElseThrow();
    }

    @Test
    void shouldSayWhichImageIsNearest() {
        Scores scores = score(file, ScanMode.OPERATOR, frames);
        for (int n = 0; n < frames.size(); n++) {
            assertThat(scores.nearest().images()[n]).isEqualTo(byDistance(n)[0]);
            assertThat((double) scores.nearest().distances()[n]).isCloseTo(distance(n, byDistance(n)[0]), within(5e-3));
        }
        assertThat(scores.nearest().images()).startsWith(0, 1, 2, 3, 4, 5);
    }

    @Test
    void shouldDoTheSameByItsPortableDefinition() {
        Scores operator = score(file, ScanMode.OPERATOR, frames);
        Scores portable = score(file, ScanMode.FUNCTION, frames);
        assertThat(portable.nearest().images()).isEqualTo(operator.nearest().images());
        for (int n = IMAGES; n < frames.size(); n++) {
            assertThat(portable.raw()[n]).isCloseTo(operator.raw()[n], within(1e-3f));
            float[] expected = operator.map(n);
            float[] found = portable.map(n);
            for (int i = 0; i < found.length; i++) assertThat(found[i]).isCloseTo(expected[i], within(1e-3f));
        }
    }

    @Test
    void shouldScoreAFrameAloneAsInABatch() {
        Scores together = score(file, ScanMode.OPERATOR, frames);
        for (int n = 0; n < frames.size(); n++) {
            Scores alone = score(file, ScanMode.OPERATOR, List.of(frames.get(n)));
            // Up to the order in which the runtime adds; the images compared with are the same.
            assertThat(alone.raw()[0]).isCloseTo(together.raw()[n], within(1e-4f));
            float[] expected = together.map(n);
            float[] found = alone.map(0);
            for (int i = 0; i < found.length; i++) assertThat(found[i]).isCloseTo(expected[i], within(1e-4f));
            assertThat(alone.nearest().images()[0]).isEqualTo(together.nearest().images()[n]);
        }
    }

    @Test
    void shouldCompareInFewerDimensions() throws IOException {
        Random random = new Random(3);
        List<Tensor> projections = new ArrayList<>();
        for (int channels : new int[] {30, 22}) {
            float[] rows = new float[9 * channels];
            for (int i = 0; i < rows.length; i++) rows[i] = (float) random.nextGaussian();
            projections.add(new Tensor(rows, 9, channels));
        }
        float[][] projected = features(projections);
        int at = 7 * 1024 + 100;
        double expected = 0;
        for (int c = 0; c < 30; c++) expected += projections.get(0).data()[7 * 30 + c] * features[0][c * 1024 + 100];
        assertThat((double) projected[0][at]).isCloseTo(expected, within(1e-4));
        Path reduced = dir.resolve("reduced.onnx");
        Checkpoints.write(
                reduced,
                new RetrievalModel(memory(projected, 9, 9, projections), named(), encoder),
                CALIBRATION,
                Map.of());
        Scores operator = score(reduced, ScanMode.OPERATOR, frames);
        Scores portable = score(reduced, ScanMode.FUNCTION, frames);
        assertThat(operator.raw()[IMAGES]).isCloseTo(portable.raw()[IMAGES], within(1e-3f));
        assertThat(operator.raw()[IMAGES]).isGreaterThan(operator.raw()[0]);
    }

    @Test
    void shouldTellItsImagesAndThatItCannotBeTrainedFurther() throws IOException {
        Checkpoint read = Checkpoint.read(file);
        assertThat(read.info().properties()).containsEntry("linesight.method", "retrieval");
        assertThat(RememberedImage.of(read.info())).isEqualTo(named());
        assertThat(Checkpoints.trainable(read.info())).isFalse();
        assertThatThrownBy(read::config)
                .isInstanceOf(IOException.class)
                .hasMessageContaining("was made by retrieval; it cannot be trained further as MMAD");
        Path copy = dir.resolve("recalibrated.onnx");
        Calibration other = new Calibration(new ProductCalibration(9, 1), Map.of());
        assertThat(Checkpoints.withCalibration(read, copy, other).calibration()).isEqualTo(other);
        assertThat(score(copy, ScanMode.OPERATOR, frames).raw())
                .isEqualTo(score(file, ScanMode.OPERATOR, frames).raw());
    }

    @Test
    void shouldNoticeTruncationWhereverItHappens() throws IOException {
        byte[] whole = Files.readAllBytes(file);
        for (int less = 1; less < 12000; less += 37) {
            Path cut = Files.write(dir.resolve("cut.onnx"), Arrays.copyOf(whole, whole.length - less));
            assertThatThrownBy(() -> Checkpoints.withCalibration(Checkpoint.read(cut), cut, CALIBRATION))
                    .as("less " + less + " bytes")
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("cut.onnx");
        }
    }

    @Test
    void shouldRejectAMemoryOfAnotherEncoder() {
        Encoder other = TinyEncoder.create(List.of(8, 32, 24), 17);
        assertThatThrownBy(() -> RetrievalGraph.write(memory, other))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("30 channels")
                .hasMessageContaining("32");
    }
}

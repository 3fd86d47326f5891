package io.linesight.mmad.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.linesight.mmad.architecture.PatchBank;
import io.linesight.mmad.architecture.Tensor;
import io.linesight.mmad.checkpoint.Calibration;
import io.linesight.mmad.checkpoint.Checkpoints;
import io.linesight.mmad.checkpoint.PatchCoreModel;
import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.encoder.EncoderSession;
import io.linesight.mmad.encoder.FilterBankEncoder;
import io.linesight.mmad.encoder.TinyEncoder;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.mmad.score.OrtScorer;
import io.linesight.mmad.score.Scores;
import io.linesight.mmad.score.SelfTest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The graph against the same in plain Java, written from the paper and not from the graph. */
class PatchCoreGraphTest {
    private static final int SIDE = 32;
    private static final int PATCHES = SIDE * SIDE;
    private static final ScorerOptions CPU =
            ScorerOptions.defaults().withDevice("cpu").withThreads(1);
    private static final Calibration CALIBRATION = new Calibration(new ProductCalibration(1, 0.1), Map.of());

    @TempDir
    Path dir;

    private static Encoder encoder;
    private static List<byte[]> frames;
    /** Per frame, per patch, features as they come. */
    private static double[][][] raw;

    @BeforeAll
    static void encode() {
        encoder = FilterBankEncoder.create();
        frames = List.of(SelfTest.frames().get(0), SelfTest.frames().get(3));
        try (EncoderSession session = EncoderSession.open(encoder, CPU)) {
            float[][] maps = session.features(frames);
            raw = new double[frames.size()][][];
            for (int n = 0; n < raw.length; n++) raw[n] = patches(maps, n);
        }
    }

    private static double[][] patches(float[][] maps, int image) {
        int fine = encoder.channels().get(1);
        int coarse = encoder.channels().get(2);
        double[][] patches = new double[PATCHES][fine + coarse];
        for (int y = 0; y < SIDE; y++) {
            for (int x = 0; x < SIDE; x++) {
                double[] p = patches[y * SIDE + x];
                for (int c = 0; c < fine; c++) p[c] = mean(maps[1], (image * fine + c) * PATCHES, SIDE, y, x);
                for (int c = 0; c < coarse; c++) {
                    int at = (image * coarse + c) * PATCHES / 4;
                    // Pixel centres: place y of 32 lies at (y + 0.5) / 2 - 0.5 of 16.
                    double sy = Math.max(0, Math.min(15, (y + 0.5) / 2 - 0.5));
                    double sx = Math.max(0, Math.min(15, (x + 0.5) / 2 - 0.5));
                    int y0 = Math.min(14, (int) sy);
                    int x0 = Math.min(14, (int) sx);
                    double fy = sy - y0;
                    double fx = sx - x0;
                    p[fine + c] = (1 - fy)
                                    * ((1 - fx) * mean(maps[2], at, 16, y0, x0)
                                            + fx * mean(maps[2], at, 16, y0, x0 + 1))
                            + fy
                                    * ((1 - fx) * mean(maps[2], at, 16, y0 + 1, x0)
                                            + fx * mean(maps[2], at, 16, y0 + 1, x0 + 1));
                }
            }
        }
        return patches;
    }

    private static double mean(float[] map, int at, int side, int y, int x) {
        double sum = 0;
        int n = 0;
        for (int dy = -1; dy <= 1; dy++) {
            for (int dx = -1; dx <= 1; dx++) {
                if (y + dy < 0 || y + dy >= side || x + dx < 0 || x + dx >= side) continue;
                sum += map[at + (y + dy) * side + x + dx];
                n++;
            }
        }
        return sum / n;
    }

    /** Some patches of the ramp and the stripes, so that distances run from 0 to large. */
    private static PatchBank bank(int size) {
        int channels = raw[0][0].length;
        Random random = new Random(5);
        float[] shift = new float[channels];
        for (int k = 0; k < channels; k++) shift[k] = random.nextFloat();
        float[] vectors = new float[size * channels];
        for (int i = 0; i < size; i++) {
            double[] patch = raw[i % 2][random.nextInt(PATCHES)];
            // Near them, not on them: the root makes much of little where a distance is zero.
            for (int k = 0; k < channels; k++)
                vectors[i * channels + k] = (float) (patch[k] - shift[k] + 0.05 * random.nextGaussian());
        }
        return new PatchBank(new Tensor(vectors, size, channels), new Tensor(shift, channels));
    }

    private static double[][] shifted(double[][] patches, PatchBank bank) {
        double[][] out = new double[PATCHES][bank.channels()];
        for (int p = 0; p < PATCHES; p++)
            for (int k = 0; k < out[p].length; k++)
                out[p][k] = patches[p][k] - bank.shift().data()[k];
        return out;
    }

    private static double distance(double[] patch, PatchBank bank, int row) {
        float[] vectors = bank.vectors().data();
        double sum = 0;
        for (int k = 0; k < patch.length; k++)
            sum += (patch[k] - vectors[row * patch.length + k]) * (patch[k] - vectors[row * patch.length + k]);
        return Math.sqrt(sum);
    }

    private static double between(PatchBank bank, int a, int b) {
        double sum = 0;
        for (int k = 0; k < bank.channels(); k++) {
            double d = bank.vectors().data()[a * bank.channels() + k]
                    - bank.vectors().data()[b * bank.channels() + k];
            sum += d * d;
        }
        return sum;
    }

    private static int nearest(double[] patch, PatchBank bank) {
        int best = 0;
        double min = Double.POSITIVE_INFINITY;
        for (int i = 0; i < bank.size(); i++) {
            double d = distance(patch, bank, i);
            if (d < min) {
                min = d;
                best = i;
            }
        }
        return best;
    }

    private static double reweighted(double[][] patches, PatchBank bank, double[] distances) {
        int at = 0;
        for (int p = 1; p < PATCHES; p++) if (distances[p] > distances[at]) at = p;
        int m = nearest(patches[at], bank);
        double[] x = patches[at];
        double sum = java.util.stream.IntStream.range(0, bank.size())
                .boxed()
                .sorted(java.util.Comparator.comparingDouble(i -> between(bank, m, i)))
                .limit(9)
                .mapToDouble(i -> Math.exp(distance(x, bank, i)))
                .sum();
        return distances[at] * (1 - Math.exp(distances[at]) / sum);
    }

    /** Bilinear with aligned corners, then a Gaussian of sigma 4 cut at 16 with the edge mirrored. */
    private static double[] smoothed(double[] small) {
        double[] large = new double[256 * 256];
        for (int y = 0; y < 256; y++) {
            for (int x = 0; x < 256; x++) {
                double sy = y * 31 / 255.0;
                double sx = x * 31 / 255.0;
                int y0 = Math.min(30, (int) sy);
                int x0 = Math.min(30, (int) sx);
                double top = small[y0 * SIDE + x0] * (1 - sx + x0) + small[y0 * SIDE + x0 + 1] * (sx - x0);
                double bottom =
                        small[(y0 + 1) * SIDE + x0] * (1 - sx + x0) + small[(y0 + 1) * SIDE + x0 + 1] * (sx - x0);
                large[y * 256 + x] = top * (1 - sy + y0) + bottom * (sy - y0);
            }
        }
        return blurred(blurred(large, 1), 256);
    }

    private static double[] blurred(double[] map, int stride) {
        double[] out = new double[map.length];
        for (int i = 0; i < map.length; i++) {
            int place = i / stride % 256;
            double sum = 0;
            double weights = 0;
            for (int o = -16; o <= 16; o++) {
                int p = place + o;
                if (p < 0) p = -1 - p;
                if (p > 255) p = 511 - p;
                double w = Math.exp(-o * o / 32.0);
                sum += w * map[i + (p - place) * stride];
                weights += w;
            }
            out[i] = sum / weights;
        }
        return out;
    }

    // More than one chunk of the bank, and fewer patches than neighbours.
    @ParameterizedTest
    @CsvSource({"1100, MEAN_OF_LARGEST", "40, REWEIGHTED", "5, REWEIGHTED"})
    void shouldScoreAsThePaperSays(int size, PatchCoreGraph.Score kind) throws IOException {
        PatchBank bank = bank(size);
        Path file = dir.resolve("p.onnx");
        Checkpoints.write(file, new PatchCoreModel(bank, kind, encoder), CALIBRATION, Map.of());
        try (OrtScorer scorer = OrtScorer.open(file, CPU)) {
            Scores together = scorer.score(frames);
            for (int n = 0; n < frames.size(); n++) {
                double[][] patches = shifted(raw[n], bank);
                double[] distances = new double[PATCHES];
                for (int p = 0; p < PATCHES; p++) distances[p] = distance(patches[p], bank, nearest(patches[p], bank));
                double[] map = smoothed(distances);
                double worst = 0;
                float[] actual = together.map(n);
                for (int i = 0; i < map.length; i++) worst = Math.max(worst, Math.abs(map[i] - actual[i]));
                assertThat(worst).as("map of image " + n).isLessThan(5e-4);
                double score = kind == PatchCoreGraph.Score.REWEIGHTED
                        ? reweighted(patches, bank, distances)
                        : java.util.Arrays.stream(distances)
                                        .map(d -> -d)
                                        .sorted()
                                        .limit(10)
                                        .average()
                                        .orElseThrow()
                                * -1;
                assertThat(score).as("a score worth comparing").isGreaterThan(0.05);
                assertThat((double) together.raw()[n])
                        .as("score of image " + n)
                        .isCloseTo(score, within(5e-4 * Math.max(1, score)));
                Scores alone = scorer.score(List.of(frames.get(n)));
                assertThat(alone.raw()[0])
                        .as("alone and in a batch")
                        .isCloseTo(together.raw()[n], within(1e-4f * Math.max(1, together.raw()[n])));
            }
            if (size == 5) SelfTest.check(scorer);
        }
    }

    @Test
    void shouldGiveZeroAndNotNaNForPatchesOfTheBank() throws IOException {
        int channels = raw[0][0].length;
        float[] vectors = new float[PATCHES * channels];
        for (int p = 0; p < PATCHES; p++)
            for (int k = 0; k < channels; k++) vectors[p * channels + k] = (float) (raw[0][p][k] + 300);
        float[] shift = new float[channels];
        java.util.Arrays.fill(shift, -300); // long vectors: rounding makes some squared distances negative
        PatchBank bank = new PatchBank(new Tensor(vectors, PATCHES, channels), new Tensor(shift, channels));
        Path file = dir.resolve("self.onnx");
        Checkpoints.write(
                file, new PatchCoreModel(bank, PatchCoreGraph.Score.REWEIGHTED, encoder), CALIBRATION, Map.of());
        try (OrtScorer scorer = OrtScorer.open(file, CPU)) {
            Scores s = scorer.score(List.of(frames.get(0)));
            assertThat(s.raw()[0]).isFinite().isBetween(0f, 0.5f);
            float largest = 0;
            for (float v : s.maps()) largest = Float.isFinite(v) && v >= 0 ? Math.max(largest, v) : Float.NaN;
            assertThat(largest).isLessThan(0.5f);
        }
    }

    @Test
    void shouldRejectABankOfAnotherEncoder() {
        Encoder other = TinyEncoder.create(List.of(8, 32, 24), 17);
        assertThatThrownBy(() -> PatchCoreGraph.write(bank(4), other, PatchCoreGraph.Score.REWEIGHTED))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("216 channels")
                .hasMessageContaining("56");
        assertThatThrownBy(
                        () -> new PatchBank(new Tensor(new float[] {1, Float.NaN}, 2, 1), new Tensor(new float[1], 1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("not a number");
    }
}

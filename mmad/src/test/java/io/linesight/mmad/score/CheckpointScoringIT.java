package io.linesight.mmad.score;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import io.linesight.mmad.architecture.MapKind;
import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.architecture.Tensor;
import io.linesight.mmad.architecture.Weights;
import io.linesight.mmad.checkpoint.Checkpoint;
import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.encoder.FilterBankEncoder;
import io.linesight.mmad.runtime.ScanMode;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.mmad.scan.SelectiveScanOperator;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A whole checkpoint of the tiny preset in the scorer. */
class CheckpointScoringIT {
    private static final ScorerOptions CPU = ScorerOptions.defaults().withDevice("cpu");

    @TempDir
    private static Path folder;

    private static Path checkpoint;
    private static final List<byte[]> FRAMES = ScorerBenchmark.frames(3);

    @BeforeAll
    static void write() throws Exception {
        Encoder encoder = FilterBankEncoder.create();
        checkpoint = RandomCheckpoint.write(folder.resolve("tiny.onnx"), MmadConfig.tiny(encoder.channels()), encoder);
    }

    @Test
    void shouldScoreAFrameAloneAsInABatch() {
        try (OrtScorer scorer = OrtScorer.open(checkpoint, CPU)) {
            Scores batch = scorer.score(FRAMES);

            for (int i = 0; i < FRAMES.size(); i++) {
                Scores alone = scorer.score(List.of(FRAMES.get(i)));
                assertThat(alone.raw()[0]).isBetween(1e-4f, 1f).isCloseTo(batch.raw()[i], offset(1e-6f));
                assertThat(largestDifference(alone.maps(), batch.map(i))).isLessThan(1e-6);
            }
        }
    }

    @Test
    void shouldScoreWithTheOperatorAsWithThePortableDefinition() {
        try (OrtScorer operator = OrtScorer.open(checkpoint, CPU.withScan(ScanMode.OPERATOR));
                OrtScorer function = OrtScorer.open(checkpoint, CPU.withScan(ScanMode.FUNCTION))) {
            assertThat(operator.scanOperator()).isTrue();
            assertThat(function.scanOperator()).isFalse();
            long before = SelectiveScanOperator.invocations();
            Scores expected = function.score(FRAMES.subList(0, 1));
            assertThat(SelectiveScanOperator.invocations()).isEqualTo(before);
            Scores actual = operator.score(FRAMES.subList(0, 1));

            assertThat(SelectiveScanOperator.invocations()).isGreaterThan(before);
            assertThat(largestDifference(actual.maps(), expected.maps())).isLessThan(2e-6);
        }
    }

    @Test
    void shouldGiveEqualResultsInConcurrentScorersAndOnAnyNumberOfThreads() {
        try (OrtScorer one = OrtScorer.open(checkpoint, CPU.withThreads(1));
                OrtScorer two = OrtScorer.open(checkpoint, CPU.withThreads(2))) {
            CompletableFuture<Scores> other = CompletableFuture.supplyAsync(() -> one.score(FRAMES));
            Scores here = two.score(FRAMES);
            Scores there = other.join();

            assertThat(largestDifference(there.maps(), here.maps())).isLessThan(1e-6);
            assertThat(two.score(FRAMES).maps()).as("repeated").isEqualTo(here.maps());
        }
    }

    @Test
    void shouldStandardiseTheMapAndNotHideABrokenNetwork(@TempDir Path dir) throws Exception {
        Encoder encoder = FilterBankEncoder.create();
        MmadConfig config = MmadConfig.tiny(encoder.channels()).withMap(MapKind.STANDARDISED);
        double[] level = {-2, -1};
        float[][] raw = new float[2][];
        for (int k = 0; k < 2; k++) {
            double expected = level[k];
            Path file =
                    RandomCheckpoint.write(dir.resolve(k + ".onnx"), config, encoder, w -> expect(w, (float) expected));
            try (OrtScorer scorer = OrtScorer.open(file, CPU)) {
                Scores scores = scorer.score(FRAMES.subList(0, 1));
                raw[k] = scores.maps();
                assertThat(Checkpoint.read(file).config().map()).isEqualTo(MapKind.STANDARDISED);
                for (float v : scores.maps()) assertThat(v).isNotNegative();
            }
        }
        // Where every pixel lies above both levels, expecting e times more in spreads of a half costs two deviations.
        double max = 0;
        for (int i = 0; i < raw[0].length; i++) max = Math.max(max, raw[0][i] - raw[1][i]);
        assertThat(max).isBetween(1.5, 2.0001);

        Path broken = RandomCheckpoint.write(dir.resolve("broken.onnx"), config, encoder, w -> {
            expect(w, -2);
            w.put(
                    "net_s.layers_up.3.blocks.0.norm2.bias",
                    new Tensor(new float[] {Float.NaN, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 16));
        });
        try (OrtScorer scorer = OrtScorer.open(broken, CPU)) {
            assertThat(scorer.score(FRAMES.subList(0, 1)).raw()[0])
                    .as("NaN must reach the verdict")
                    .isNaN();
        }
    }

    private static void expect(Weights weights, float level) {
        for (int i = 0; i < 3; i++) {
            weights.put("anomaly_map." + i + ".expect.bias", new Tensor(new float[] {level, 0.5f}, 2));
            weights.put("anomaly_map." + i + ".limits", new Tensor(new float[] {-5, 0, 0.1f, 2}, 4));
        }
    }

    private static double largestDifference(float[] a, float[] b) {
        assertThat(a).hasSize(b.length);
        double largest = 0;
        for (int i = 0; i < a.length; i++) {
            // NaN must not pass as equal.
            double difference = Math.abs(a[i] - b[i]);
            if (!(difference <= largest)) largest = Double.isNaN(difference) ? Double.MAX_VALUE : difference;
        }
        return largest;
    }
}

package io.linesight.trainer.evaluate;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.linesight.mmad.accuracy.CategoryCurves;
import io.linesight.mmad.accuracy.CategoryMetrics;
import io.linesight.mmad.checkpoint.Calibration;
import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.mmad.image.RgbImage;
import io.linesight.mmad.score.Scorer;
import io.linesight.mmad.score.Scores;
import io.linesight.trainer.folders.ImageSource;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Measuring with a model that fails on some images. */
class EvaluateTest {
    private static final int SIZE = 256;

    /** Scores an image by its first pixel's red: 255 is NaN, 254 infinite, 253 a map that is partly NaN. */
    private static final class RedScorer implements Scorer {
        @Override
        public CheckpointInfo info() {
            return new CheckpointInfo("v", "s", new Calibration(new ProductCalibration(0.5, 0.1), Map.of()), Map.of());
        }

        @Override
        public String device() {
            return "cpu";
        }

        @Override
        public Scores score(List<byte[]> frames) {
            float[] raw = new float[frames.size()];
            float[] maps = new float[frames.size() * SIZE * SIZE];
            for (int i = 0; i < raw.length; i++) {
                int red = frames.get(i)[0] & 255;
                raw[i] = red == 255 ? Float.NaN : red == 254 ? Float.POSITIVE_INFINITY : red / 255f;
                if (red == 253) maps[i * SIZE * SIZE + 7] = Float.NaN;
            }
            return new Scores(raw.length, SIZE, raw, maps);
        }

        @Override
        public void close() {}
    }

    private static RgbImage image(int red) {
        byte[] rgb = new byte[8 * 8 * 3];
        for (int i = 0; i < rgb.length; i += 3) rgb[i] = (byte) red;
        return new RgbImage(8, 8, rgb);
    }

    private static ImageSource source(int... reds) {
        List<ImageSource.Sample> samples = new ArrayList<>();
        for (int red : reds) samples.add(ImageSource.Sample.normal("good/" + red + ".png", () -> image(red)));
        return new ImageSource() {
            @Override
            public String name() {
                return "reds";
            }

            @Override
            public List<String> categories() {
                return List.of("bolt");
            }

            @Override
            public List<Sample> train(String category) {
                return List.of();
            }

            @Override
            public List<Sample> test(String category) {
                return samples;
            }
        };
    }

    private static EvaluationReport measured(int... reds) throws IOException {
        EvaluateOptions options = EvaluateOptions.of(Path.of("m.onnx"), source(reds))
                .withBatch(2)
                .withProgress(new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8));
        return Evaluate.run(options, new RedScorer());
    }

    @Test
    void shouldNameImagesWithoutANumberAndMeasureTheOthers() throws IOException {
        EvaluationReport report = measured(10, 255, 20, 254, 253, 30);

        assertThat(report.unscored()).containsExactly("bolt/good/255.png", "bolt/good/254.png", "bolt/good/253.png");
        assertThat(report.images())
                .extracting(EvaluationReport.ImageScore::name)
                .containsExactly("good/10.png", "good/20.png", "good/30.png");
        assertThat(report.categories().get("bolt").normal()).isEqualTo(3);
        assertThat(report.toJson()).contains("\"unscored\" : [ \"bolt/good/255.png\"");
    }

    @Test
    void shouldEndWithoutFiguresWhenTheModelGivesNoNumberAtAll() throws IOException {
        int[] reds = new int[5];
        Arrays.fill(reds, 255);

        EvaluationReport report = measured(reds);

        assertThat(report.unscored()).hasSize(5);
        assertThat(report.mean().imageAuroc()).isNull();
    }

    @Test
    void shouldCountWhatTheThresholdsRejectAndMiss() throws IOException {
        List<EvaluationReport.ImageScore> images = List.of(
                new EvaluationReport.ImageScore("bolt", "a", false, false, 1, 0.7),
                new EvaluationReport.ImageScore("bolt", "b", false, false, 0, 0.3),
                new EvaluationReport.ImageScore("bolt", "c", true, false, 0, 0.2),
                new EvaluationReport.ImageScore("bolt", "d", true, true, 1, 0.9),
                new EvaluationReport.ImageScore("nut", "a", true, false, 1, 0.5),
                new EvaluationReport.ImageScore("nut", "b", true, false, 1, 0.4));
        CategoryMetrics bolt = new CategoryMetrics(null, null, null, null, null, null, null, null, 3, 1);
        CategoryMetrics nut = new CategoryMetrics(null, null, null, null, null, null, null, null, 0, 2);
        EvaluationReport report = new EvaluationReport(
                "v",
                "s",
                "parts",
                new TreeMap<>(Map.of("bolt", bolt, "nut", nut)),
                Map.of("bolt", unmeasured(), "nut", unmeasured()),
                CategoryMetrics.mean(List.of(bolt, nut)),
                images,
                0,
                List.of(),
                0,
                1);

        JsonNode json = new ObjectMapper().readTree(report.toJson());

        assertThat(json.path("categories").path(0).path("falseRejects").asInt()).isEqualTo(2);
        assertThat(json.path("categories").path(0).path("missed").asInt()).isEqualTo(1);
        assertThat(json.path("categories").path(1).path("falseRejects").asInt()).isZero();
        assertThat(json.path("categories").path(1).path("missed").asInt()).isEqualTo(1);
        assertThat(json.path("totals"))
                .isEqualTo(
                        new ObjectMapper().readTree("{\"normal\":3,\"anomalous\":3,\"falseRejects\":2,\"missed\":2}"));
    }

    private static CategoryDetail unmeasured() {
        return new CategoryDetail(
                new CategoryCurves(null, null, null, null, null),
                new ProductCalibration(0.5, 0.1),
                true,
                0,
                0,
                0,
                null);
    }
}

package io.linesight.trainer.report;

import io.linesight.mmad.accuracy.AnomalyMetrics;
import io.linesight.mmad.accuracy.AnomalyMetrics.Measured;
import io.linesight.mmad.accuracy.CategoryMetrics;
import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.mmad.image.RgbImage;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.trainer.evaluate.CategoryDetail;
import io.linesight.trainer.evaluate.EvaluateOptions;
import io.linesight.trainer.evaluate.EvaluationReport;
import io.linesight.trainer.evaluate.EvaluationReport.ImageScore;
import io.linesight.trainer.folders.ImageSource;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/** Reports of made-up scores, with figures computed as those of real ones are. */
final class Reports {
    private static final int SIDE = 256;

    private final Map<String, CategoryMetrics> metrics = new TreeMap<>();
    private final Map<String, CategoryDetail> details = new TreeMap<>();
    private final List<ImageScore> images = new ArrayList<>();

    static ImageScore score(String category, String name, boolean anomalous, double raw, ProductCalibration line) {
        return new ImageScore(category, name, anomalous, false, (float) raw, line.calibrated((float) raw));
    }

    /** @param lift how much higher defective images and pixels score */
    Reports category(String category, int normal, int defective, double lift, boolean masks, long seed) {
        Random random = new Random(seed);
        ProductCalibration line = new ProductCalibration(1.5, 0.5);
        try (AnomalyMetrics m = new AnomalyMetrics(SIDE)) {
            for (int i = 0; i < normal + defective; i++) {
                boolean anomalous = i >= normal;
                double raw = (float) (random.nextGaussian() + (anomalous ? lift : 0));
                byte[] mask = null;
                float[] map = new float[SIDE * SIDE];
                if (anomalous && masks) mask = new byte[SIDE * SIDE];
                for (int p = 0; p < map.length; p++) {
                    boolean marked = mask != null && p / SIDE < 40 && p % SIDE < 30;
                    if (marked) mask[p] = 1;
                    map[p] = random.nextFloat() + (marked ? (float) lift / 3 : 0);
                }
                m.add(raw, anomalous, map, mask);
                images.add(score(category, (anomalous ? "crack/" : "good/") + i + ".png", anomalous, raw, line));
            }
            Measured measured = m.measure();
            metrics.put(category, measured.metrics());
            details.put(category, new CategoryDetail(measured.curves(), line, true, masks ? 0 : defective, 0, 0, null));
        }
        return this;
    }

    EvaluationReport report(String version) {
        return new EvaluationReport(
                version,
                "0123abcd",
                "parts",
                metrics,
                details,
                CategoryMetrics.mean(metrics.values()),
                List.copyOf(images),
                0,
                List.of(),
                0,
                0.05);
    }

    Contender contender(String letter) {
        return new Contender(letter, options(), report("v" + letter));
    }

    /** No image is ever read with these. */
    static EvaluateOptions options() {
        return EvaluateOptions.of(Path.of("m.onnx"), new ImageSource() {
                    @Override
                    public String name() {
                        return "parts";
                    }

                    @Override
                    public List<String> categories() {
                        return List.of();
                    }

                    @Override
                    public List<Sample> train(String category) {
                        return List.of(Sample.normal("x", () -> new RgbImage(1, 1, new byte[3])));
                    }
                })
                .withScorer(ScorerOptions.defaults().withDevice("cpu"));
    }
}

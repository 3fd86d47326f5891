package io.linesight.trainer.retrieval;

import io.linesight.mmad.accuracy.AnomalyMetrics;
import io.linesight.mmad.image.BadImageException;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.mmad.score.OrtScorer;
import io.linesight.mmad.score.Scorer;
import io.linesight.mmad.view.ViewLayouts;
import io.linesight.trainer.calibration.CheckpointFinisher;
import io.linesight.trainer.folders.ImageSource;
import io.linesight.trainer.folders.ImageSource.Sample;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What it costs to remember some of the images only, on test images.
 *
 * @param chosen mean image AUROC over the products with the images remembered, 0 to 1
 * @param whole the same with all images remembered
 * @param images test images that were scored
 */
public record ChoiceCost(double chosen, double whole, int images) {
    /** Test images of a product that are scored, good ones and defective ones each, evenly spaced. */
    private static final int SCORED = 60;

    /** Frames of test images, and which of them are defective. */
    private record Tests(List<byte[]> frames, List<Boolean> anomalous) {
        boolean[] truth() {
            boolean[] truth = new boolean[anomalous.size()];
            for (int i = 0; i < truth.length; i++) truth[i] = anomalous.get(i);
            return truth;
        }
    }

    /** Whether there is anything to measure on: a product with good and defective test images. */
    static boolean measurable(ImageSource source) {
        return source.categories().stream().anyMatch(c -> isMeasurable(source.test(c)));
    }

    private static boolean isMeasurable(List<Sample> tests) {
        return tests.stream().anyMatch(Sample::anomalous) && tests.stream().anyMatch(s -> !s.anomalous());
    }

    /** Scores the same test images by both checkpoints. Unreadable ones are left out. */
    static ChoiceCost measure(ImageSource source, ViewLayouts views, Path chosen, Path whole, int threads)
            throws IOException {
        Map<String, Tests> tests = new TreeMap<>();
        for (String product : source.categories()) {
            List<Sample> all = source.test(product);
            if (!isMeasurable(all)) continue;
            Tests some = new Tests(new ArrayList<>(), new ArrayList<>());
            for (boolean anomalous : new boolean[] {false, true})
                read(
                        product,
                        views,
                        all.stream().filter(s -> s.anomalous() == anomalous).toList(),
                        some);
            if (some.anomalous.contains(true) && some.anomalous.contains(false)) tests.put(product, some);
        }
        return new ChoiceCost(
                meanAuroc(chosen, tests, threads),
                meanAuroc(whole, tests, threads),
                tests.values().stream().mapToInt(t -> t.frames.size()).sum());
    }

    private static void read(String product, ViewLayouts views, List<Sample> samples, Tests into) throws IOException {
        int wanted = Math.min(samples.size(), SCORED);
        for (int n = 0; n < wanted; n++) {
            Sample s = samples.get((int) ((long) n * samples.size() / wanted));
            try {
                into.frames.add(views.cut(product, s.image().read()));
                into.anomalous.add(s.anomalous());
            } catch (BadImageException e) {
                // It is for a figure only; evaluate names it.
                continue;
            }
        }
    }

    private static double meanAuroc(Path checkpoint, Map<String, Tests> tests, int threads) {
        try (Scorer scorer = OrtScorer.open(
                checkpoint, ScorerOptions.defaults().withDevice("cpu").withThreads(threads))) {
            return tests.entrySet().stream()
                    .mapToDouble(e -> {
                        double[] scores = CheckpointFinisher.score(scorer, e.getKey(), e.getValue().frames);
                        float[] narrow = new float[scores.length];
                        for (int i = 0; i < scores.length; i++) narrow[i] = (float) scores[i];
                        return AnomalyMetrics.auroc(narrow, e.getValue().truth());
                    })
                    .average()
                    .orElse(Double.NaN);
        }
    }
}

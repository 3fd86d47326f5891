package io.linesight.trainer.gate;

import io.linesight.mmad.checkpoint.Calibration;
import io.linesight.mmad.image.BadImageException;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.mmad.score.FrameScorer;
import io.linesight.mmad.score.OrtScorer;
import io.linesight.mmad.score.ScoredFrame;
import io.linesight.mmad.score.Scorer;
import io.linesight.trainer.folders.DatasetException;
import io.linesight.trainer.folders.ImageSource;
import io.linesight.trainer.folders.ImageSource.Sample;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** Scores the held-out images with both models, one after the other, so that only one is in memory. */
public final class HeldOut {
    private static final int BATCH = 4;

    private HeldOut() {}

    private record Scored(Calibration calibration, Map<String, float[]> normals, Map<String, float[]> anomalous) {}

    /**
     * @param source {@link ImageSource#test} of every product in {@code measured} is scored, and what has training
     *     images counts as trained on
     * @param measured products that may have held-out images
     * @return scores of every product that has held-out images or that either model knows
     * @throws DatasetException naming an image that cannot be read
     */
    public static List<ProductScores> score(
            Path champion, Path challenger, ImageSource source, Set<String> measured, ScorerOptions options) {
        Scored before = score(champion, source, measured, options);
        Scored after = score(challenger, source, measured, options);
        Set<String> products = new TreeSet<>(before.calibration.byProduct().keySet());
        products.addAll(after.calibration.byProduct().keySet());
        products.addAll(before.normals.keySet());
        products.addAll(before.anomalous.keySet());
        List<ProductScores> all = new ArrayList<>();
        float[] none = {};
        for (String p : products) {
            all.add(new ProductScores(
                    p,
                    before.calibration.knows(p),
                    !source.train(p).isEmpty(),
                    before.calibration.forProduct(p),
                    after.calibration.forProduct(p),
                    before.normals.getOrDefault(p, none),
                    after.normals.getOrDefault(p, none),
                    before.anomalous.getOrDefault(p, none),
                    after.anomalous.getOrDefault(p, none)));
        }
        return all;
    }

    private static Scored score(Path checkpoint, ImageSource source, Set<String> measured, ScorerOptions options) {
        Map<String, float[]> normals = new TreeMap<>();
        Map<String, float[]> anomalous = new TreeMap<>();
        try (Scorer scorer = OrtScorer.open(checkpoint, options)) {
            for (String product : new TreeSet<>(measured)) {
                normals.put(
                        product,
                        raw(
                                scorer,
                                product,
                                source.test(product).stream()
                                        .filter(s -> !s.anomalous())
                                        .toList()));
                anomalous.put(
                        product,
                        raw(
                                scorer,
                                product,
                                source.test(product).stream()
                                        .filter(Sample::anomalous)
                                        .toList()));
            }
            return new Scored(scorer.info().calibration(), normals, anomalous);
        }
    }

    private static float[] raw(Scorer scorer, String product, List<Sample> samples) {
        float[] scores = new float[samples.size()];
        for (int from = 0; from < scores.length; from += BATCH) {
            List<FrameScorer.Frame> batch = new ArrayList<>();
            for (Sample s : samples.subList(from, Math.min(scores.length, from + BATCH))) {
                try {
                    batch.add(new FrameScorer.Frame(
                            product, scorer.views().cut(product, s.image().read())));
                } catch (BadImageException | IOException e) {
                    throw new DatasetException(
                            "held-out image " + product + "/" + s.name() + " cannot be read: " + e.getMessage(), e);
                }
            }
            List<ScoredFrame> scored = FrameScorer.score(scorer, batch, BATCH);
            for (int i = 0; i < scored.size(); i++)
                scores[from + i] = scored.get(i).raw();
        }
        return scores;
    }
}

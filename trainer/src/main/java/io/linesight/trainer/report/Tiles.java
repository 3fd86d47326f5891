package io.linesight.trainer.report;

import io.linesight.mmad.image.BadImageException;
import io.linesight.mmad.image.Heatmaps;
import io.linesight.mmad.image.ImageCodec;
import io.linesight.mmad.image.Preprocess;
import io.linesight.mmad.image.RgbImage;
import io.linesight.mmad.score.FrameScorer;
import io.linesight.mmad.score.OrtScorer;
import io.linesight.mmad.score.ScoredFrame;
import io.linesight.mmad.score.Scorer;
import io.linesight.mmad.view.ViewLayout;
import io.linesight.trainer.folders.ImageSource.Sample;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Thumbnails of chosen images. They are scored once more: which ones are wanted is known only when all have been
 * scored, and keeping every map until then could take gigabytes.
 */
final class Tiles {
    private static final int MAX_SIDE = 256;
    /** Of a checkpoint with zoomed tiles: what they find is too small for 256. */
    private static final int MAX_ZOOMED_SIDE = 768;

    private static final int QUALITY = 82;

    /**
     * JPEGs of one image.
     *
     * @param image the image itself; null when only the map was asked for
     * @param truth the image with its ground truth; null when there is none
     * @param map the image under its anomaly map
     * @param own the map's colours go from its own lowest to its own highest value: a missed defect would be blank
     *     otherwise, and whether the model saw nothing or too little is what its reader wants to know
     */
    record Tile(byte @Nullable [] image, byte @Nullable [] truth, byte[] map, boolean own) {}

    private Tiles() {}

    /**
     * @param wanted names of samples per category
     * @param mapOnly leaves image and truth out
     * @return tiles per category and name; an image that can no longer be read has none
     */
    static Map<String, Map<String, Tile>> of(
            Contender contender, Map<String, ? extends Collection<String>> wanted, boolean mapOnly) {
        Map<String, Map<String, Tile>> tiles = new HashMap<>();
        if (wanted.values().stream().allMatch(Collection::isEmpty)) return tiles;
        try (Scorer scorer = OrtScorer.open(
                contender.options().checkpoint(), contender.options().scorer())) {
            wanted.forEach((category, names) -> {
                Set<String> set = new HashSet<>(names);
                List<Sample> samples = contender.options().source().test(category).stream()
                        .filter(s -> set.contains(s.name()))
                        .toList();
                double threshold = contender.detail(category).calibration().threshold();
                Map<String, Tile> of = tiles.computeIfAbsent(category, k -> new HashMap<>());
                int batch = contender.options().batch();
                for (int from = 0; from < samples.size(); from += batch)
                    score(
                            scorer,
                            category,
                            samples.subList(from, Math.min(samples.size(), from + batch)),
                            threshold,
                            mapOnly,
                            of);
            });
        }
        return tiles;
    }

    private record Loaded(Sample sample, RgbImage small, byte[] frame, byte[] mask) {}

    private static void score(
            Scorer scorer,
            String category,
            List<Sample> samples,
            double threshold,
            boolean mapOnly,
            Map<String, Tile> to) {
        List<Loaded> batch = new ArrayList<>();
        ViewLayout layout = scorer.views().of(category);
        int side = layout == null ? Preprocess.SIDE : layout.mapSide();
        for (Sample s : samples) {
            try {
                RgbImage image = s.image().read();
                byte[] mask = s.mask() == null || mapOnly
                        ? null
                        : Preprocess.mask(s.mask().read(), side);
                RgbImage small = Heatmaps.thumbnail(image, side > Preprocess.SIDE ? MAX_ZOOMED_SIDE : MAX_SIDE);
                batch.add(new Loaded(s, small, scorer.views().cut(category, image), mask));
            } catch (IOException | BadImageException e) {
                // It was readable when it was measured. The report says that it is gone.
                to.remove(s.name());
            }
        }
        if (batch.isEmpty()) return;
        List<ScoredFrame> scored = FrameScorer.score(
                scorer,
                batch.stream()
                        .map(l -> new FrameScorer.Frame(category, l.frame))
                        .toList(),
                batch.size());
        for (int i = 0; i < batch.size(); i++) {
            Loaded l = batch.get(i);
            ScoredFrame frame = scored.get(i);
            byte[] truth = l.mask == null ? null : jpeg(Heatmaps.truth(l.small, l.mask, side));
            boolean own = l.sample.anomalous() && frame.raw() < threshold;
            RgbImage map = Heatmaps.overlay(l.small, frame.map(), frame.size(), own ? Double.NaN : threshold);
            to.put(l.sample.name(), new Tile(mapOnly ? null : jpeg(l.small), truth, jpeg(map), own));
        }
    }

    private static byte[] jpeg(RgbImage image) {
        return ImageCodec.encodeJpeg(image, QUALITY);
    }
}

package io.linesight.trainer.evaluate;

import io.linesight.mmad.accuracy.AnomalyMetrics;
import io.linesight.mmad.accuracy.AnomalyMetrics.Measured;
import io.linesight.mmad.accuracy.CategoryMetrics;
import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.mmad.checkpoint.VerdictRule;
import io.linesight.mmad.image.BadImageException;
import io.linesight.mmad.image.Heatmaps;
import io.linesight.mmad.image.ImageCodec;
import io.linesight.mmad.image.Preprocess;
import io.linesight.mmad.image.RgbImage;
import io.linesight.mmad.score.FrameScorer;
import io.linesight.mmad.score.OrtScorer;
import io.linesight.mmad.score.ScoredFrame;
import io.linesight.mmad.score.Scorer;
import io.linesight.mmad.view.Maps;
import io.linesight.mmad.view.ViewLayout;
import io.linesight.trainer.calibration.CalibrationImages;
import io.linesight.trainer.evaluate.EvaluationReport.ImageScore;
import io.linesight.trainer.folders.DatasetException;
import io.linesight.trainer.folders.ImageFiles;
import io.linesight.trainer.folders.ImageSource.Sample;
import io.linesight.trainer.folders.UnreadableImages;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Measures a checkpoint on labelled images with the reference's seven metrics, through the scorer that serves it. */
public final class Evaluate {
    private static final long REPORT_EVERY = 10_000_000_000L;

    private final EvaluateOptions options;
    private final Scorers scorers;
    private final UnreadableImages unreadable = new UnreadableImages();
    private final List<ImageScore> images = new ArrayList<>();
    private final List<String> unscored = new ArrayList<>();
    private CalibrationImages calibrationImages;
    private int calibratedOn;
    private long lastReport = System.nanoTime();

    private Evaluate(EvaluateOptions options, Scorers scorers) {
        this.options = options;
        this.scorers = scorers;
    }

    /**
     * Scores every test image and computes the metrics per category and their mean. A category without test images is
     * left out, and so is an image for which the model gives no number; the report names it.
     *
     * @throws DatasetException when no category has test images, or some cannot be read; names them
     * @throws IOException when the checkpoint cannot be read or a file cannot be written
     */
    public static EvaluationReport run(EvaluateOptions options) throws IOException {
        return new Evaluate(options, () -> OrtScorer.open(options.checkpoint(), options.scorer())).run();
    }

    /** With a scorer in the place of the checkpoint's. */
    static EvaluationReport run(EvaluateOptions options, Scorer scorer) throws IOException {
        return new Evaluate(options, () -> scorer).run();
    }

    @FunctionalInterface
    private interface Scorers {
        Scorer get() throws IOException;
    }

    private record Loaded(
            Sample sample, @Nullable RgbImage image, byte[] frame, byte @Nullable [] mask, boolean misshapen) {}

    private EvaluationReport run() throws IOException {
        List<String> categories = options.source().categories().stream()
                .filter(c -> !options.source().test(c).isEmpty())
                .sorted()
                .toList();
        if (categories.isEmpty())
            throw new DatasetException(
                    "there are no test images in " + options.source().name());
        long start = System.nanoTime();
        int total = categories.stream()
                .mapToInt(c -> options.source().test(c).size())
                .sum();
        Map<String, CategoryMetrics> metrics = new TreeMap<>();
        Map<String, CategoryDetail> details = new TreeMap<>();
        CheckpointInfo info;
        try (Scorer scorer = scorers.get()) {
            info = scorer.info();
            calibrationImages = CalibrationImages.of(info);
            for (String category : categories) metrics.put(category, measure(scorer, category, total, details));
        }
        unreadable.check(options.skipUnreadable(), options.progress());
        if (options.scores() != null) writeScores();
        double seconds = (System.nanoTime() - start) / 1e9;
        return new EvaluationReport(
                info.version(),
                info.sha256(),
                options.source().name(),
                metrics,
                details,
                CategoryMetrics.mean(metrics.values()),
                List.copyOf(images),
                unreadable.count(),
                List.copyOf(unscored),
                calibratedOn,
                seconds / Math.max(1, images.size()));
    }

    private CategoryMetrics measure(Scorer scorer, String category, int total, Map<String, CategoryDetail> details)
            throws IOException {
        try (CategoryRun run = new CategoryRun(category, scorer)) {
            List<Sample> samples = options.source().test(category);
            for (int from = 0; from < samples.size(); from += options.batch()) {
                List<Loaded> batch = new ArrayList<>();
                for (Sample s : samples.subList(from, Math.min(samples.size(), from + options.batch())))
                    run.load(s, batch);
                if (batch.isEmpty()) continue;
                run.score(batch);
                report(total);
            }
            return run.finish(details);
        }
    }

    /** The images of one category: their metrics so far, and what is odd about their masks. */
    private final class CategoryRun implements AutoCloseable {
        private final String category;
        private final Scorer scorer;
        private final ProductCalibration calibration;
        private final int side;
        private final AnomalyMetrics metrics;
        private int unmarked;
        private int vanished;
        private int misshapen;
        private @Nullable String firstMisshapen;

        CategoryRun(String category, Scorer scorer) {
            this.category = category;
            this.scorer = scorer;
            this.calibration = scorer.info().calibration().forProduct(category);
            ViewLayout layout = scorer.views().of(category);
            side = options.resolution() > 0
                    ? options.resolution()
                    : layout == null ? Preprocess.SIDE : layout.mapSide();
            metrics = AnomalyMetrics.leavingUnmarkedOut(side);
        }

        void score(List<Loaded> batch) throws IOException {
            List<ScoredFrame> scored = FrameScorer.score(
                    scorer,
                    batch.stream()
                            .map(l -> new FrameScorer.Frame(category, l.frame))
                            .toList(),
                    options.batch());
            for (int i = 0; i < batch.size(); i++) {
                Loaded l = batch.get(i);
                ScoredFrame frame = scored.get(i);
                float[] map = Maps.resized(frame.map(), frame.size(), side);
                add(l, frame.raw(), map);
                if (options.heatmaps() != null)
                    writeHeatmap(category, l, map, side, frame.raw(), calibration.threshold());
            }
        }

        void load(Sample s, List<Loaded> batch) {
            try {
                RgbImage image = s.image().read();
                RgbImage truth = ImageFiles.truth(s.mask());
                batch.add(new Loaded(
                        s,
                        options.heatmaps() == null ? null : image,
                        scorer.views().cut(category, image),
                        truth == null ? null : Preprocess.mask(truth, side),
                        truth != null && misshapen(image, truth)));
            } catch (BadImageException | IOException e) {
                unreadable.add(category, s, e);
            }
        }

        private void add(Loaded l, float raw, float[] map) {
            if (calibrationImages.contain(category, l.frame)) calibratedOn++;
            // What is not a number cannot be ranked; 'serve' leaves such an image to a person.
            if (!Float.isFinite(raw) || !isFinite(map)) {
                unscored.add(category + "/" + l.sample.name());
                return;
            }
            boolean anomalous = l.sample.anomalous();
            metrics.add(raw, anomalous, map, l.mask);
            boolean nothingMarked = anomalous && l.mask != null && AnomalyMetrics.marksNothing(l.mask);
            images.add(new ImageScore(
                    category, l.sample.name(), anomalous, nothingMarked, raw, VerdictRule.score(calibration, raw)));
            if (anomalous && l.mask == null) unmarked++;
            if (nothingMarked) vanished++;
            if (l.misshapen && misshapen++ == 0) firstMisshapen = l.sample.name();
        }

        CategoryMetrics finish(Map<String, CategoryDetail> details) {
            Measured measured = metrics.measure();
            details.put(
                    category,
                    new CategoryDetail(
                            measured.curves(),
                            calibration,
                            scorer.info().calibration().knows(category),
                            unmarked,
                            vanished,
                            misshapen,
                            firstMisshapen));
            return measured.metrics();
        }

        @Override
        public void close() {
            metrics.close();
        }
    }

    private static boolean isFinite(float[] map) {
        for (float value : map) if (!Float.isFinite(value)) return false;
        return true;
    }

    /**
     * Both are stretched to the model's square, so only their proportions have to agree; two in a hundred are rounding.
     */
    private static boolean misshapen(RgbImage image, RgbImage mask) {
        double ratio = (double) image.width() * mask.height() / ((double) image.height() * mask.width());
        return ratio < 0.98 || ratio > 1.02;
    }

    private void writeHeatmap(String category, Loaded l, float[] map, int size, double score, double threshold)
            throws IOException {
        Path file = options.heatmaps().resolve(category).resolve(heatmapName(category, l.sample.name()));
        Files.createDirectories(file.getParent());
        Files.write(file, ImageCodec.encodePng(Heatmaps.panel(l.image, l.mask, map, size, score, threshold)));
    }

    /** The image's name with its extension replaced; added to where another image differs in the extension alone. */
    private String heatmapName(String category, String image) {
        String stem = stem(image);
        long alike = options.source().test(category).stream()
                .filter(s -> stem(s.name()).equals(stem))
                .count();
        return (alike > 1 ? image : stem) + ".png";
    }

    private static String stem(String image) {
        return image.replaceAll("\\.[A-Za-z]+$", "");
    }

    private void writeScores() throws IOException {
        Path parent = options.scores().toAbsolutePath().getParent();
        Files.createDirectories(parent);
        try (BufferedWriter w = Files.newBufferedWriter(options.scores())) {
            w.write("category,image,anomalous,score,calibrated\n");
            for (ImageScore s : images) {
                w.write(String.format(
                        Locale.ROOT,
                        "%s,%s,%d,%s,%.6f%n",
                        quoted(s.category()),
                        quoted(s.name()),
                        s.anomalous() ? 1 : 0,
                        s.raw(),
                        s.calibrated()));
            }
        }
    }

    private static String quoted(String s) {
        return s.matches("[^\",\\r\\n]*") ? s : '"' + s.replace("\"", "\"\"") + '"';
    }

    private void report(int total) {
        long now = System.nanoTime();
        if (now - lastReport < REPORT_EVERY) return;
        lastReport = now;
        options.progress()
                .printf(
                        Locale.ROOT,
                        "evaluate %.0f %%: %d of %d images%n",
                        100.0 * images.size() / total,
                        images.size(),
                        total);
    }
}

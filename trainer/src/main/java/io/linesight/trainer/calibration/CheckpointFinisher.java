package io.linesight.trainer.calibration;

import io.linesight.mmad.checkpoint.Calibration;
import io.linesight.mmad.checkpoint.Checkpoint;
import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.checkpoint.Checkpoints;
import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.mmad.image.BadImageException;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.mmad.score.FrameScorer;
import io.linesight.mmad.score.OrtScorer;
import io.linesight.mmad.score.ScoredFrame;
import io.linesight.mmad.score.Scorer;
import io.linesight.mmad.score.SelfTest;
import io.linesight.trainer.dataset.Progress;
import io.linesight.trainer.folders.ImageSource.Sample;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What turns a trained model into a checkpoint, whatever method it was trained by: it is written beside the file
 * wanted, scored by what will serve it (the file itself, in ONNX Runtime), given thresholds and the self-test's
 * expectation, and only then put in place.
 */
public final class CheckpointFinisher {
    public static final Calibration UNCALIBRATED = new Calibration(new ProductCalibration(0.5, 0.1), Map.of());

    /** Independent normals from which on their highest scores say how the tail falls. */
    public static final int ENOUGH_FOR_TAIL = Calibrator.ENOUGH_FOR_TAIL;

    /**
     * Images trained on that are scored: of one category, and of all together. From a hundred the spread is known to a
     * fourteenth, and the shape begins to show.
     */
    private static final int MAX_TRAINING = 100;

    private static final int MIN_TRAINING = 10;
    /** Images, and views of them, that are scored at once. */
    private static final int BATCH = 4;

    private static final int ALL_TRAINING = 400;

    /** Images of a category that were trained on and are worth scoring, where there are so many categories. */
    public static int worthScoring(int categories) {
        return Math.max(MIN_TRAINING, Math.min(MAX_TRAINING, ALL_TRAINING / categories));
    }

    private final Path out;
    private final int threads;
    private final PrintStream progress;

    /** Writes the model as a checkpoint with {@link #UNCALIBRATED}. */
    public interface Draft {
        void write(Path file) throws IOException;
    }

    public CheckpointFinisher(Path out, int threads, PrintStream progress) {
        this.out = out;
        this.threads = threads;
        this.progress = progress;
    }

    /**
     * Images that were trained on, and what they are scored by: they tell how normal scores spread, as far as it does
     * not know them by heart.
     *
     * @param frames by category; may lack some
     * @param model that knows less of them than the model itself; null = the model itself
     */
    public record Seen(Map<String, List<byte[]>> frames, @Nullable Draft model) {}

    /**
     * Writes, scores, calibrates and puts in place.
     *
     * @param frames held-out normals by category, each at least one
     * @param seen none of it twice
     * @throws IOException when a file cannot be written; an existing checkpoint stays as it was
     */
    public CheckpointInfo run(Map<String, List<byte[]>> frames, List<Seen> seen, CalibrationRule rule, Draft writer)
            throws IOException {
        Path draft = draft();
        try (Progress bar = new Progress(progress, "calibrate")) {
            writer.write(draft);
            Map<String, List<Double>> training = new TreeMap<>();
            int done = 0;
            for (Seen some : seen) {
                if (some.model != null) {
                    score(some, training);
                    bar.update(
                            (double) ++done / (seen.size() + 1),
                            done + " of " + seen.size() + " parts of the training images");
                }
            }
            Map<String, ProductScores> scores = new TreeMap<>();
            String selfTest;
            try (Scorer scorer = open(draft)) {
                for (Seen some : seen) if (some.model == null) score(scorer, some, training);
                for (Map.Entry<String, List<byte[]>> e : frames.entrySet()) {
                    double[] spread = training.getOrDefault(e.getKey(), List.of()).stream()
                            .mapToDouble(d -> d)
                            .toArray();
                    scores.put(
                            e.getKey(),
                            new ProductScores(score(scorer, e.getKey(), e.getValue()), spread, new double[0]));
                }
                selfTest = SelfTest.expected(scorer);
            }
            Map<String, String> properties = new TreeMap<>(TrainingScores.property(training));
            properties.put(SelfTest.PROPERTY, selfTest);
            return Checkpoints.withCalibration(
                    Checkpoint.read(draft), out, Calibrator.calibrate(scores, rule), properties);
        } finally {
            Files.deleteIfExists(draft);
        }
    }

    /**
     * The same where every normal image can be scored as a new one: all of them set the thresholds alike.
     *
     * @param folds normals by category, and models that do not know them; null = the model itself. Together at least
     *     one image of every category
     * @param groups by category, the groups of images that they are
     * @throws IOException when a file cannot be written; an existing checkpoint stays as it was
     */
    public CheckpointInfo run(List<Seen> folds, Map<String, Groups> groups, CalibrationRule rule, Draft writer)
            throws IOException {
        Path draft = draft();
        try (Progress bar = new Progress(progress, "calibrate")) {
            Map<String, List<Double>> normals = new TreeMap<>();
            for (int i = 0; i < folds.size(); i++) {
                if (folds.get(i).model != null) score(folds.get(i), normals);
                bar.update((double) (i + 1) / (folds.size() + 1), (i + 1) + " of " + folds.size() + " parts");
            }
            writer.write(draft);
            String selfTest;
            try (Scorer scorer = open(draft)) {
                for (Seen some : folds) if (some.model == null) score(scorer, some, normals);
                selfTest = SelfTest.expected(scorer);
            }
            Map<String, ProductScores> scores = new TreeMap<>();
            normals.forEach((category, all) -> scores.put(
                    category,
                    ProductScores.grouped(all.stream().mapToDouble(d -> d).toArray(), groups.get(category))));
            return Checkpoints.withCalibration(
                    Checkpoint.read(draft),
                    out,
                    Calibrator.calibrate(scores, rule),
                    Map.of(SelfTest.PROPERTY, selfTest));
        } finally {
            Files.deleteIfExists(draft);
        }
    }

    private Path draft() throws IOException {
        return Files.createTempFile(out.toAbsolutePath().getParent(), "uncalibrated-", ".onnx");
    }

    private Scorer open(Path checkpoint) throws IOException {
        return OrtScorer.open(
                checkpoint, ScorerOptions.defaults().withDevice("cpu").withThreads(threads));
    }

    private void score(Seen some, Map<String, List<Double>> into) throws IOException {
        if (some.frames.isEmpty()) return;
        Path file = draft();
        try {
            some.model.write(file);
            try (Scorer scorer = open(file)) {
                score(scorer, some, into);
            }
        } finally {
            Files.deleteIfExists(file);
        }
    }

    private static void score(Scorer scorer, Seen some, Map<String, List<Double>> into) {
        some.frames.forEach((category, frames) -> {
            for (double d : score(scorer, category, frames))
                into.computeIfAbsent(category, c -> new ArrayList<>()).add(d);
        });
    }

    /** Scores of some of the images that were trained on, evenly spaced. */
    public static double[] training(Scorer scorer, String category, List<Sample> samples, int categories)
            throws IOException {
        int wanted = Math.min(samples.size(), worthScoring(categories));
        List<byte[]> frames = new ArrayList<>();
        for (int i = 0; i < wanted; i++) {
            try {
                frames.add(scorer.views()
                        .cut(
                                category,
                                samples.get((int) ((long) i * samples.size() / wanted))
                                        .image()
                                        .read()));
            } catch (BadImageException e) {
                // It was told of when it was to be trained on.
                continue;
            }
        }
        return score(scorer, category, frames);
    }

    /** @throws IllegalStateException when a score is not a number */
    public static double[] score(Scorer scorer, String category, List<byte[]> frames) {
        double[] scores = new double[frames.size()];
        for (int from = 0; from < frames.size(); from += BATCH) {
            List<FrameScorer.Frame> some = frames.subList(from, Math.min(frames.size(), from + BATCH)).stream()
                    .map(f -> new FrameScorer.Frame(category, f))
                    .toList();
            List<ScoredFrame> scored = FrameScorer.score(scorer, some, BATCH);
            for (int i = 0; i < scored.size(); i++) {
                float raw = scored.get(i).raw();
                if (!Float.isFinite(raw))
                    throw new IllegalStateException(
                            "the trained model gives a score that is not a number for category '" + category
                                    + "'; nothing was written. Lower the learning rate");
                scores[from + i] = raw;
            }
        }
        return scores;
    }
}

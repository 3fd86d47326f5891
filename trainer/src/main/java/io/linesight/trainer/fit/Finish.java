package io.linesight.trainer.fit;

import io.linesight.mmad.checkpoint.Calibration;
import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.checkpoint.Checkpoints;
import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.mmad.image.BadImageException;
import io.linesight.mmad.image.Preprocess;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.mmad.score.OrtScorer;
import io.linesight.mmad.score.Scorer;
import io.linesight.mmad.score.Scores;
import io.linesight.mmad.score.SelfTest;
import io.linesight.trainer.data.ImageSource.Sample;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What turns a trained model into a checkpoint, whatever method it was trained by: it is written beside the file wanted, scored by what will serve
 * it (the file itself, in ONNX Runtime), given thresholds and the self-test's expectation, and only then put in place.
 */
public final class Finish {
    public static final Calibration UNCALIBRATED = new Calibration(new ProductCalibration(0.5, 0.1), Map.of());

    /**
     * Pictures trained on that are scored: of one category, and of all together. From a hundred the spread is known to a fourteenth, and the shape
     * begins to show.
     */
    private static final int MOST_TRAINING = 100;
    private static final int LEAST_TRAINING = 10;
    private static final int ALL_TRAINING = 400;

    private final Path out;
    private final int threads;
    private final PrintStream progress;

    /** Writes the model as a checkpoint with {@link #UNCALIBRATED}. */
    public interface Draft {
        void write(Path file) throws IOException;
    }

    public Finish(Path out, int threads, PrintStream progress) {
        this.out = out;
        this.threads = threads;
        this.progress = progress;
    }

    /**
     * Writes, scores, calibrates and puts in place.
     *
     * @param frames   held-out normals by category, each at least one
     * @param training pictures that were trained on by category, of which some are scored too; may lack categories. They tell how normal scores
     *                 spread, as long as the model does not simply know them by heart
     * @throws IOException when a file cannot be written; an existing checkpoint stays as it was
     */
    public CheckpointInfo run(Map<String, List<byte[]>> frames, Map<String, List<Sample>> training, CalibrationRule rule, Draft writer) throws IOException {
        Path draft = Files.createTempFile(out.toAbsolutePath().getParent(), "uncalibrated-", ".onnx");
        try {
            writer.write(draft);
            Judged judged = calibrate(draft, frames, training, rule);
            return Checkpoints.withCalibration(draft, out, judged.calibration, Map.of(SelfTest.PROPERTY, judged.selfTest));
        } finally {
            Files.deleteIfExists(draft);
        }
    }

    /** @param selfTest what every instance that loads it should see */
    private record Judged(Calibration calibration, String selfTest) { }

    private Judged calibrate(Path checkpoint, Map<String, List<byte[]>> frames, Map<String, List<Sample>> training, CalibrationRule rule) throws IOException {
        Map<String, ProductSamples> scores = new TreeMap<>();
        String selfTest;
        try (Scorer scorer = OrtScorer.open(checkpoint, ScorerOptions.defaults().withDevice("cpu").withThreads(threads));
                Progress bar = new Progress(progress, "calibrate")) {
            int done = 0;
            for (Map.Entry<String, List<byte[]>> e : frames.entrySet()) {
                double[] seen = training(scorer, e.getKey(), training.getOrDefault(e.getKey(), List.of()), frames.size());
                scores.put(e.getKey(), new ProductSamples(score(scorer, e.getKey(), e.getValue()), seen, new double[0]));
                bar.update((double) ++done / frames.size(), e.getKey());
            }
            selfTest = SelfTest.expected(scorer);
        }
        return new Judged(Calibrator.calibrate(scores, rule), selfTest);
    }

    /** Scores of some of the pictures that were trained on, evenly spaced. */
    static double[] training(Scorer scorer, String category, List<Sample> samples, int categories) throws IOException {
        int wanted = Math.min(samples.size(), Math.max(LEAST_TRAINING, Math.min(MOST_TRAINING, ALL_TRAINING / categories)));
        List<byte[]> frames = new ArrayList<>();
        for (int i = 0; i < wanted; i++) {
            try {
                frames.add(Preprocess.toModelInput(samples.get((int) ((long) i * samples.size() / wanted)).image().read()));
            } catch (BadImageException e) {
                // It was told of when it was to be trained on.
                continue;
            }
        }
        return score(scorer, category, frames);
    }

    /** @throws IllegalStateException when a score is not a number */
    static double[] score(Scorer scorer, String category, List<byte[]> frames) {
        double[] scores = new double[frames.size()];
        for (int from = 0; from < frames.size(); from += 4) {
            Scores s = scorer.score(frames.subList(from, Math.min(frames.size(), from + 4)));
            for (int i = 0; i < s.raw().length; i++) {
                float raw = s.raw()[i];
                if (!Float.isFinite(raw)) throw new IllegalStateException("the trained model gives a score that is not a number for category '" + category + "'; nothing was written. Lower the learning rate");
                scores[from + i] = raw;
            }
        }
        return scores;
    }
}

package io.linesight.trainer.calibration;

import io.linesight.mmad.checkpoint.Calibration;
import io.linesight.mmad.checkpoint.Checkpoint;
import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.checkpoint.Checkpoints;
import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.mmad.image.BadImageException;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.mmad.score.OrtScorer;
import io.linesight.mmad.score.Scorer;
import io.linesight.trainer.dataset.TrainingSet;
import io.linesight.trainer.folders.DatasetException;
import io.linesight.trainer.folders.ImageSource;
import io.linesight.trainer.folders.ImageSource.Sample;
import io.linesight.trainer.folders.UnreadableImages;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Recalibrates a checkpoint's thresholds with normal and anomalous images that it was not trained on. The network stays
 * as it is.
 */
public final class Recalibration {
    /** Normals below which a product keeps the threshold that it has: they say less than what set it. */
    static final int MIN_NORMALS = 4;

    private final Checkpoint in;
    private final CalibrationRule rule;
    private final ScorerOptions options;
    private final Map<String, ProductScores> samples = new TreeMap<>();
    private final Map<String, Integer> kept = new TreeMap<>();
    private final Map<String, Set<String>> used = new TreeMap<>();
    private final Map<String, String> further = new HashMap<>();
    private final UnreadableImages unreadable = new UnreadableImages();

    private Recalibration(Checkpoint in, CalibrationRule rule, ScorerOptions options) {
        this.in = in;
        this.rule = rule;
        this.options = options;
    }

    /** Which of a source's normals place the thresholds. */
    public enum Normals {
        /**
         * The training images that {@code fit} keeps out of training; the spread comes from the scores of the others
         * that it left in the checkpoint, or, where it left none, from what the checkpoint gives them.
         */
        HELD_OUT,
        /** All training images: the checkpoint has seen none of them. */
        TRAIN,
        /** The test images. */
        TEST
    }

    /**
     * What came of it.
     *
     * @param info metadata of the new file; the version is another, since it decides differently
     * @param kept categories that kept their threshold because they have fewer than four normals, with the number of
     *     those
     */
    public record Result(CheckpointInfo info, Map<String, Integer> kept) {}

    /**
     * Copies a checkpoint with thresholds by {@link ImageSource#calibration} of every category. A category with fewer
     * than four normals in it keeps its threshold, lowered no further; so does the fallback for products that the
     * checkpoint does not know.
     *
     * @param further properties of the new file, by their full names
     * @return metadata of the new file; the version is another, since it decides differently
     * @throws DatasetException naming every image that cannot be read; nothing was written
     * @throws IOException when a file cannot be read or written
     */
    public static CheckpointInfo run(
            Path in,
            Path out,
            ImageSource source,
            CalibrationRule rule,
            ScorerOptions options,
            Map<String, String> further)
            throws IOException {
        Checkpoint checkpoint = Checkpoint.read(in);
        Recalibration r = new Recalibration(checkpoint, rule, options);
        try (Scorer scorer = OrtScorer.open(checkpoint, options)) {
            for (String category : source.categories())
                r.add(scorer, category, source.calibration(category), new double[0]);
        }
        r.further.putAll(further);
        return r.write(out).info();
    }

    /**
     * Copies a checkpoint with thresholds by the images of a folder. The fallback stays, and so do products that the
     * folder lacks.
     *
     * @param anomalies whether the source's anomalous test images count too
     * @param progress a line per category
     * @throws DatasetException naming every image that cannot be read, or when there are too few normals for any
     *     category; nothing was written
     * @throws IOException when a file cannot be read or written
     * @throws IllegalArgumentException when the method asked for cannot be had with so few images; nothing was written
     */
    public static Result run(
            Path in,
            Path out,
            ImageSource source,
            Normals normals,
            boolean anomalies,
            CalibrationRule rule,
            ScorerOptions options,
            PrintStream progress)
            throws IOException {
        Checkpoint checkpoint = Checkpoint.read(in);
        Recalibration r = new Recalibration(checkpoint, rule, options);
        TrainingSet set = normals == Normals.HELD_OUT ? TrainingSet.of(source, false, progress) : null;
        Map<String, double[]> known = TrainingScores.of(checkpoint.info());
        try (Scorer scorer = OrtScorer.open(checkpoint, options)) {
            int done = 0;
            for (String category : source.categories()) {
                List<Sample> given = new ArrayList<>(
                        switch (normals) {
                            case HELD_OUT -> set.heldOut().get(category);
                            case TRAIN -> source.train(category);
                            case TEST ->
                                source.test(category).stream()
                                        .filter(s -> !s.anomalous())
                                        .toList();
                        });
                if (anomalies)
                    source.test(category).stream().filter(Sample::anomalous).forEach(given::add);
                double[] seen = new double[0];
                if (set != null) {
                    seen = known.get(category);
                    if (seen == null)
                        seen = CheckpointFinisher.training(
                                scorer,
                                category,
                                set.training().get(category),
                                source.categories().size());
                }
                r.add(scorer, category, given, seen);
                progress.println(
                        "calibrate " + ++done + " of " + source.categories().size() + ": " + category);
            }
        }
        if (r.unreadable.count() == 0 && r.samples.isEmpty()) {
            throw new DatasetException("no category has the " + MIN_NORMALS + " normal images that a threshold needs: "
                    + r.kept + ". Nothing was written; add some, or take others with --normals");
        }
        return r.write(out);
    }

    private void add(Scorer scorer, String category, List<Sample> given, double[] seen) throws IOException {
        List<byte[]> normals = new ArrayList<>();
        List<byte[]> anomalous = new ArrayList<>();
        for (Sample s : given) {
            try {
                (s.anomalous() ? anomalous : normals)
                        .add(scorer.views().cut(category, s.image().read()));
            } catch (BadImageException | IOException e) {
                unreadable.add(category, s, e);
            }
        }
        if (normals.size() < MIN_NORMALS) {
            kept.put(category, normals.size());
            return;
        }
        Set<String> marks = new TreeSet<>();
        normals.forEach(f -> marks.add(CalibrationImages.mark(f)));
        anomalous.forEach(f -> marks.add(CalibrationImages.mark(f)));
        used.put(category, marks);
        samples.put(
                category,
                new ProductScores(
                        CheckpointFinisher.score(scorer, category, normals),
                        seen,
                        CheckpointFinisher.score(scorer, category, anomalous)));
    }

    private Result write(Path out) throws IOException {
        if (unreadable.count() > 0)
            throw new DatasetException(unreadable.count() + " images cannot be read, nothing was written: "
                    + String.join("; ", unreadable.images()));
        CheckpointInfo before = in.info();
        Map<String, ProductCalibration> products =
                new TreeMap<>(before.calibration().byProduct());
        if (!samples.isEmpty())
            products.putAll(Calibrator.calibrate(samples, rule).byProduct());
        Map<String, String> properties =
                new HashMap<>(CalibrationImages.of(before).with(used));
        properties.putAll(further);
        return new Result(
                Checkpoints.withCalibration(
                        in, out, new Calibration(before.calibration().fallback(), products), properties),
                Map.copyOf(kept));
    }
}

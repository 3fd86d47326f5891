package io.linesight.trainer.evaluate;

import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.trainer.folders.ImageSource;
import java.io.PrintStream;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What to measure.
 *
 * @param checkpoint file to measure
 * @param source labelled images
 * @param scorer device, threads and scan
 * @param batch images per inference, 1..64
 * @param heatmaps folder for one image per test image (image, truth, map side by side), or null
 * @param scores CSV file of every image's score, or null
 * @param skipUnreadable leave out unreadable images instead of stopping with their list
 * @param progress where progress goes
 */
public record EvaluateOptions(
        Path checkpoint,
        ImageSource source,
        ScorerOptions scorer,
        int batch,
        @Nullable Path heatmaps,
        @Nullable Path scores,
        boolean skipUnreadable,
        PrintStream progress) {
    public EvaluateOptions {
        if (checkpoint == null || source == null || scorer == null || progress == null)
            throw new IllegalArgumentException("checkpoint, images, scorer options and progress are needed");
        if (batch < 1 || batch > 64) throw new IllegalArgumentException("batch must be 1..64, got " + batch);
    }

    /** Defaults: automatic device, batch 8, no extra files, progress on the error stream. */
    public static EvaluateOptions of(Path checkpoint, ImageSource source) {
        return new EvaluateOptions(checkpoint, source, ScorerOptions.defaults(), 8, null, null, false, System.err);
    }

    public EvaluateOptions withCheckpoint(Path v) {
        return new EvaluateOptions(v, source, scorer, batch, heatmaps, scores, skipUnreadable, progress);
    }

    public EvaluateOptions withScorer(ScorerOptions v) {
        return new EvaluateOptions(checkpoint, source, v, batch, heatmaps, scores, skipUnreadable, progress);
    }

    public EvaluateOptions withBatch(int v) {
        return new EvaluateOptions(checkpoint, source, scorer, v, heatmaps, scores, skipUnreadable, progress);
    }

    public EvaluateOptions withHeatmaps(Path folder) {
        return new EvaluateOptions(checkpoint, source, scorer, batch, folder, scores, skipUnreadable, progress);
    }

    public EvaluateOptions withScores(Path csv) {
        return new EvaluateOptions(checkpoint, source, scorer, batch, heatmaps, csv, skipUnreadable, progress);
    }

    public EvaluateOptions withSkipUnreadable(boolean v) {
        return new EvaluateOptions(checkpoint, source, scorer, batch, heatmaps, scores, v, progress);
    }

    public EvaluateOptions withProgress(PrintStream v) {
        return new EvaluateOptions(checkpoint, source, scorer, batch, heatmaps, scores, skipUnreadable, v);
    }
}

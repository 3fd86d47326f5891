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
 * @param resolution side of the maps and masks that pixel figures are of; 0 = that of the checkpoint's maps
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
        int resolution,
        PrintStream progress) {
    /** Sides that pixels can be measured at. */
    public static final int MIN_RESOLUTION = 64;

    public static final int MAX_RESOLUTION = 2048;

    public EvaluateOptions {
        if (checkpoint == null || source == null || scorer == null || progress == null)
            throw new IllegalArgumentException("checkpoint, images, scorer options and progress are needed");
        if (batch < 1 || batch > 64) throw new IllegalArgumentException("batch must be 1..64, got " + batch);
        if (resolution != 0 && (resolution < MIN_RESOLUTION || resolution > MAX_RESOLUTION))
            throw new IllegalArgumentException(
                    "the resolution must be " + MIN_RESOLUTION + ".." + MAX_RESOLUTION + ", got " + resolution);
    }

    /** Defaults: automatic device, batch 8, no extra files, progress on the error stream. */
    public static EvaluateOptions of(Path checkpoint, ImageSource source) {
        return new EvaluateOptions(checkpoint, source, ScorerOptions.defaults(), 8, null, null, false, 0, System.err);
    }

    public EvaluateOptions withCheckpoint(Path v) {
        return new EvaluateOptions(v, source, scorer, batch, heatmaps, scores, skipUnreadable, resolution, progress);
    }

    public EvaluateOptions withScorer(ScorerOptions v) {
        return new EvaluateOptions(
                checkpoint, source, v, batch, heatmaps, scores, skipUnreadable, resolution, progress);
    }

    public EvaluateOptions withBatch(int v) {
        return new EvaluateOptions(
                checkpoint, source, scorer, v, heatmaps, scores, skipUnreadable, resolution, progress);
    }

    public EvaluateOptions withHeatmaps(Path folder) {
        return new EvaluateOptions(
                checkpoint, source, scorer, batch, folder, scores, skipUnreadable, resolution, progress);
    }

    public EvaluateOptions withScores(Path csv) {
        return new EvaluateOptions(
                checkpoint, source, scorer, batch, heatmaps, csv, skipUnreadable, resolution, progress);
    }

    public EvaluateOptions withSkipUnreadable(boolean v) {
        return new EvaluateOptions(checkpoint, source, scorer, batch, heatmaps, scores, v, resolution, progress);
    }

    public EvaluateOptions withProgress(PrintStream v) {
        return new EvaluateOptions(checkpoint, source, scorer, batch, heatmaps, scores, skipUnreadable, resolution, v);
    }

    public EvaluateOptions withResolution(int v) {
        return new EvaluateOptions(checkpoint, source, scorer, batch, heatmaps, scores, skipUnreadable, v, progress);
    }
}

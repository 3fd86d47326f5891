package io.linesight.trainer.retrieval;

import io.linesight.mmad.checkpoint.CheckpointInfo;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What came of a fit.
 *
 * @param checkpoint file written
 * @param info its metadata, thresholds included
 * @param images images to learn from, those held out for calibration not counted
 * @param skipped unreadable images left out
 * @param remembered images in the memory
 * @param memoryBytes size of the memory
 * @param thumbnails images in the memory that the checkpoint has a thumbnail of
 * @param cost what it costs that images were left out; null where none was, there are no test images of both kinds, or
 *     no checkpoint could hold all images
 * @param seconds wall-clock time of all of it
 */
public record RetrievalResult(
        Path checkpoint,
        CheckpointInfo info,
        int images,
        int skipped,
        int remembered,
        long memoryBytes,
        int thumbnails,
        @Nullable ChoiceCost cost,
        double seconds) {}

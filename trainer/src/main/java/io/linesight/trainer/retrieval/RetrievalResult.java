package io.linesight.trainer.retrieval;

import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.trainer.calibration.CheckpointFinisher;
import java.nio.file.Path;
import java.util.Map;
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
 * @param groups by product, how many groups of images that belong together its thresholds rest on
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
        Map<String, Groups> groups,
        @Nullable ChoiceCost cost,
        double seconds) {

    /**
     * Groups of a product's images.
     *
     * @param by what they go by: never {@link GroupBy.Kind#AUTO}
     * @param images remembered of the product
     * @param groups number of them
     */
    public record Groups(GroupBy.Kind by, int images, int groups) {
        /** Groups from which on the highest scores say how the tail falls. */
        public static final int ENOUGH = CheckpointFinisher.ENOUGH_FOR_TAIL;

        io.linesight.trainer.calibration.Groups counted() {
            return new io.linesight.trainer.calibration.Groups(groups, by != GroupBy.Kind.SIMILARITY);
        }
    }
}

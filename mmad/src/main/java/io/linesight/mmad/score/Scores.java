package io.linesight.mmad.score;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Result of one batch.
 *
 * @param count number of frames
 * @param size side of the anomaly map in pixels (256)
 * @param raw image score of each frame: by default the mean of the highest 0.5 % of its smoothed map; it has the map's
 *     unit and no upper limit. NaN when the model failed on it
 * @param maps smoothed anomaly maps, row-major, {@code count * size * size} values
 * @param nearest null when the model remembers no images
 */
public record Scores(int count, int size, float[] raw, float[] maps, @Nullable Nearest nearest) {
    /**
     * The normal images that frames are most like.
     *
     * @param images of each frame the number of its nearest image in the checkpoint's list
     * @param distances of each frame to that image, in deviations of the mean feature over the images remembered
     */
    public record Nearest(int[] images, float[] distances) {}

    /** Scores of a model that remembers no images. */
    public Scores(int count, int size, float[] raw, float[] maps) {
        this(count, size, raw, maps, null);
    }

    /** A copy of one frame's map, row-major, size*size. */
    public float[] map(int frame) {
        int n = size * size;
        return Arrays.copyOfRange(maps, frame * n, (frame + 1) * n);
    }
}

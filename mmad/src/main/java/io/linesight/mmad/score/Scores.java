package io.linesight.mmad.score;

import java.util.Arrays;

/**
 * Result of one batch.
 *
 * @param count number of frames
 * @param size side of the anomaly map in pixels (256)
 * @param raw image score of each frame: by default the mean of the highest 0.5 % of its smoothed map; it has the map's
 *     unit and no upper limit. NaN when the model failed on it
 * @param maps smoothed anomaly maps, row-major, {@code count * size * size} values
 */
public record Scores(int count, int size, float[] raw, float[] maps) {
    /** A copy of one frame's map, row-major, size*size. */
    public float[] map(int frame) {
        int n = size * size;
        return Arrays.copyOfRange(maps, frame * n, (frame + 1) * n);
    }
}

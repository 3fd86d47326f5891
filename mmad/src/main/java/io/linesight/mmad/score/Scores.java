package io.linesight.mmad.score;

import java.util.Arrays;

/**
 * Result of one batch.
 *
 * @param count number of frames
 * @param size side of the anomaly map in pixels (256)
 * @param raw image score of each frame: the maximum of its smoothed map, about 0..1; NaN when the model failed on it
 * @param maps smoothed anomaly maps, row-major, {@code count * size * size} values
 */
public record Scores(int count, int size, float[] raw, float[] maps) {
    /** A copy of one frame's map, row-major, size*size. */
    public float[] map(int frame) {
        int n = size * size;
        return Arrays.copyOfRange(maps, frame * n, (frame + 1) * n);
    }
}

package io.linesight.mmad.score;

/**
 * A frame's answer.
 *
 * @param batch answers of several frames; not to be changed
 * @param frame which of them is its
 */
public record ScoredFrame(Scores batch, int frame) {
    /** Image score; NaN when the model failed on it. */
    public float raw() {
        return batch.raw()[frame];
    }

    /** Side of the map in pixels. */
    public int size() {
        return batch.size();
    }

    /** A copy of the map, row-major, size*size. It covers the whole frame. */
    public float[] map() {
        return batch.map(frame);
    }
}

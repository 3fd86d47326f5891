package io.linesight.mmad.score;

import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.runtime.ScoringException;
import io.linesight.mmad.view.ViewLayouts;
import java.util.List;

/**
 * A loaded model. A frame's score never depends on the other frames of its batch (MMAD_SPEC section 7, rule "expected"
 * per image).
 *
 * <p>Threads: {@link #score} may be called from one thread at a time; callers that share a scorer serialise (the
 * streams app has one inference thread per scorer). Ownership: whoever opened the scorer closes it, after its last
 * batch.
 */
public interface Scorer extends AutoCloseable {
    /** What is known about the loaded checkpoint. */
    CheckpointInfo info();

    /** The device this model really runs on, as configured: {@code cpu} or {@code cuda:N}. */
    String device();

    /**
     * Scores a batch.
     *
     * <p>The arrays of the result are new for every call and belong to the caller: the scorer neither keeps nor reuses
     * them, so they stay valid after the next call and after {@link #close}.
     *
     * @param frames planar RGB, 8 bit, each {@code 3*256*256} bytes (what {@code Preprocess.toModelInput} returns); 1
     *     or more
     * @throws ScoringException when the runtime fails; the scorer stays usable
     */
    Scores score(List<byte[]> frames);

    /** How the checkpoint looks at frames; {@link FrameScorer} scores them so. */
    default ViewLayouts views() {
        return ViewLayouts.NONE;
    }

    /**
     * Scores views of frames.
     *
     * @param views as {@link #score(List)} takes frames
     * @param places of each, by {@link ViewLayouts#place}: a model that remembers images compares it with the same
     *     place of others
     */
    default Scores score(List<byte[]> views, int[] places) {
        return score(views);
    }

    /** Whether {@link #scoreWithFeatures} gives features. */
    default boolean givesFeatures() {
        return false;
    }

    /**
     * Scores a batch as {@link #score} does, and says what the encoder saw of it where {@link #givesFeatures}. It costs
     * a copy of the features, a few hundred KB a frame.
     */
    default FeaturedScores scoreWithFeatures(List<byte[]> frames) {
        return new FeaturedScores(score(frames), null);
    }

    @Override
    void close();
}

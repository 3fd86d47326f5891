package io.linesight.streams.model;

import io.linesight.mmad.score.Scorer;

/**
 * The model that frames are scored with at this moment.
 *
 * <p>The batcher asks once per batch and uses the answer for that whole batch, so an implementation may swap models between batches and a
 * result always names the one model that made it. An implementation must not close a scorer that a batch may still be using.
 */
@FunctionalInterface
public interface ServingModel {

    /** The scorer for the next batch; never null, open until the batch that asked is done. */
    Scorer current();

    /** One model for the life of the app; the caller keeps ownership of the scorer. */
    static ServingModel fixed(Scorer scorer) {
        java.util.Objects.requireNonNull(scorer, "scorer");
        return () -> scorer;
    }
}

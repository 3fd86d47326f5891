package io.linesight.streams.serving;

import io.linesight.mmad.score.Scorer;

/**
 * The model that frames are scored with at this moment.
 *
 * <p>The batcher takes a lease for every batch and scores the whole batch with it, so models may be swapped between
 * batches and a result always names the one model that made it. A scorer stays open as long as somebody holds a lease
 * of it. Thread-safe.
 */
@FunctionalInterface
public interface ServingModel {

    /** The right to score one batch. */
    interface Lease extends AutoCloseable {

        /** Open until this lease is closed; not to be closed by the borrower. */
        Scorer scorer();

        /** Gives the model back; never blocks and never throws. Idempotent. */
        @Override
        void close();
    }

    /**
     * The model for the next batch; never null and never blocks.
     *
     * @throws IllegalStateException when there is none, because the app is stopping
     */
    Lease acquire();
}

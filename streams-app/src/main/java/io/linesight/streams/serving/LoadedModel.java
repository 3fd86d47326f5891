package io.linesight.streams.serving;

import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.score.Scorer;
import io.linesight.mmad.score.Scores;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A model in memory and the number of those who need it: whoever loaded it, the slots it is in, and the batches it is
 * scoring. The last one to let go closes it, on the closer's thread, because freeing a session can take longer than a
 * batch. Lock-free.
 */
final class LoadedModel {

    private static final Logger LOG = LoggerFactory.getLogger(LoadedModel.class);

    private final Scorer scorer;
    private final Scorer lent;
    private final long frameNanos;
    private final Executor closer;
    private final Turn turn;
    private final AtomicInteger references = new AtomicInteger(1);
    private final CompletableFuture<Void> closed = new CompletableFuture<>();

    /**
     * Takes ownership of the scorer; the caller holds the first reference.
     *
     * @param frameNanos inference time per frame measured in the warm-up
     * @param closer runs the closing of the scorer
     */
    LoadedModel(Scorer scorer, long frameNanos, Executor closer) {
        this(scorer, frameNanos, closer, Turn.NONE);
    }

    LoadedModel(Scorer scorer, long frameNanos, Executor closer, Turn turn) {
        this.scorer = Objects.requireNonNull(scorer, "scorer");
        this.lent = new Lent(scorer);
        this.frameNanos = frameNanos;
        this.closer = Objects.requireNonNull(closer, "closer");
        this.turn = turn;
    }

    CheckpointInfo info() {
        return scorer.info();
    }

    String version() {
        return scorer.info().version();
    }

    String device() {
        return scorer.device();
    }

    long frameNanos() {
        return frameNanos;
    }

    /** What borrowers get. */
    Scorer lent() {
        return lent;
    }

    /** Adds a reference unless the last one is gone already: a model that is being closed never comes back. */
    boolean tryRetain() {
        while (true) {
            turn.next(scorer);
            int n = references.get();
            if (n == 0) return false;
            turn.next(scorer);
            if (references.compareAndSet(n, n + 1)) return true;
        }
    }

    /** Takes a reference away; the last one closes the model. */
    void release() {
        turn.next(scorer);
        int left = references.decrementAndGet();
        if (left < 0) throw new IllegalStateException("model " + version() + " was released once too often");
        if (left == 0) closer.execute(this::closeScorer);
    }

    private void closeScorer() {
        try {
            scorer.close();
        } catch (RuntimeException e) {
            LOG.error("Model {} could not be closed; its memory stays until the process ends", version(), e);
        } finally {
            closed.complete(null);
        }
    }

    /** Completes when the scorer has been closed. */
    CompletableFuture<Void> closed() {
        return closed;
    }

    /**
     * A scorer takes one caller at a time. At a promotion one model is the challenger's last batch and the champion's
     * first, which are on two threads.
     */
    private static final class Lent implements Scorer {
        private final Scorer scorer;

        private Lent(Scorer scorer) {
            this.scorer = scorer;
        }

        @Override
        public CheckpointInfo info() {
            return scorer.info();
        }

        @Override
        public String device() {
            return scorer.device();
        }

        @Override
        public synchronized Scores score(List<byte[]> frames) {
            return scorer.score(frames);
        }

        @Override
        public void close() {
            throw new UnsupportedOperationException("a borrowed model is closed by whoever gives it back last");
        }
    }
}

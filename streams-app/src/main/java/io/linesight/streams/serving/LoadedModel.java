package io.linesight.streams.serving;

import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.score.FeaturedScores;
import io.linesight.mmad.score.Scorer;
import io.linesight.mmad.score.Scores;
import io.linesight.mmad.view.ViewLayouts;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A model in memory and the number of those who need it: whoever loaded it, the slots it is in, and the batches it is
 * scoring. The last one to release it closes it, on the closer's thread, because freeing a session can take longer than
 * a batch. Lock-free.
 */
final class LoadedModel {

    private static final Logger LOG = LoggerFactory.getLogger(LoadedModel.class);

    private final Scorer scorer;
    private final LentScorer lent;
    private final long frameNanos;
    private final Executor closer;
    private final Turn turn;
    private final AtomicInteger references = new AtomicInteger(1);
    private final CompletableFuture<Void> closed = new CompletableFuture<>();

    /**
     * Takes ownership of the scorer; the caller holds the first reference.
     *
     * @param info what borrowers see of the model
     * @param frameNanos inference time per frame measured in the warm-up
     * @param closer runs the closing of the scorer
     */
    LoadedModel(Scorer scorer, CheckpointInfo info, long frameNanos, Executor closer) {
        this(scorer, info, frameNanos, closer, Turn.NONE);
    }

    LoadedModel(Scorer scorer, CheckpointInfo info, long frameNanos, Executor closer, Turn turn) {
        this.scorer = Objects.requireNonNull(scorer, "scorer");
        this.lent = new LentScorer(scorer, info);
        this.frameNanos = frameNanos;
        this.closer = Objects.requireNonNull(closer, "closer");
        this.turn = turn;
    }

    CheckpointInfo info() {
        return lent.info();
    }

    String version() {
        return lent.info().version();
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

    /** Gives a reference back; the last one closes the model. */
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
     * What borrowers get: the scorer under the name by which people know the model, for one caller at a time. At a
     * promotion one model has the challenger's last batch and the champion's first, which are on two threads.
     */
    private static final class LentScorer implements Scorer {
        private final Scorer scorer;
        private final CheckpointInfo info;

        private LentScorer(Scorer scorer, CheckpointInfo info) {
            this.scorer = scorer;
            this.info = info;
        }

        @Override
        public CheckpointInfo info() {
            return info;
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
        public ViewLayouts views() {
            return scorer.views();
        }

        @Override
        public synchronized Scores score(List<byte[]> views, int[] places) {
            return scorer.score(views, places);
        }

        @Override
        public boolean givesFeatures() {
            return scorer.givesFeatures();
        }

        @Override
        public synchronized FeaturedScores scoreWithFeatures(List<byte[]> frames) {
            return scorer.scoreWithFeatures(frames);
        }

        @Override
        public void close() {
            throw new UnsupportedOperationException("a borrowed model is closed by whoever releases it last");
        }
    }
}

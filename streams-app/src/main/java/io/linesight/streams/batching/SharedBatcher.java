package io.linesight.streams.batching;

import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.score.Scorer;
import io.linesight.mmad.view.ViewLayouts;
import io.linesight.schemas.clients.DaemonThreads;
import io.linesight.streams.serving.ServingModel;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gathers frames of all tasks and stream threads into batches for one model.
 *
 * <p>Every batch leases the model for itself, so models may be swapped between two batches. One inference thread,
 * because a scorer takes one caller at a time; while a batch runs the next one fills. How frames queue is told by
 * {@link LaneQueue}, what happens when a model fails by {@link BatchScorer}.
 *
 * <p>Futures complete on the inference thread, so dependants should be asynchronous or trivial.
 */
public final class SharedBatcher implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(SharedBatcher.class);
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(30);

    private final ServingModel model;
    private final LaneQueue queue;
    private final BatchScorer batchScorer;
    private final BatchListener listener;
    private final BooleanSupplier features;
    private final Thread thread;

    private volatile long frameNanos;
    // Inference thread only.
    private @Nullable CheckpointInfo lastModel;
    private long lastEnd;

    /** Starts the inference thread; its answers do not say what the encoder saw. */
    public SharedBatcher(String name, ServingModel model, BatchLimits limits, BatchListener listener) {
        this(name, model, limits, listener, () -> false);
    }

    /**
     * Starts the inference thread.
     *
     * @param name of the inference thread
     * @param features asked before every batch: whether its answers are to say what the encoder saw
     */
    public SharedBatcher(
            String name, ServingModel model, BatchLimits limits, BatchListener listener, BooleanSupplier features) {
        this.features = Objects.requireNonNull(features, "features");
        this.model = Objects.requireNonNull(model, "model");
        this.listener = Objects.requireNonNull(listener, "listener");
        this.queue = new LaneQueue(limits);
        this.batchScorer = new BatchScorer(listener, limits.maxBatch());
        listener.onStart(queue::size);
        thread = DaemonThreads.start(name, this::run);
    }

    /**
     * Queues a frame; blocks while the queue is full.
     *
     * @param lane frames of one lane are scored in order, and lanes take turns; normally the camera id
     * @param frame not copied, must not change
     * @return completes with the model's answer, or exceptionally with {@link BatcherClosedException} or an
     *     {@link Error} of the JVM
     * @throws BatcherClosedException when the batcher is closed or the caller is interrupted while waiting
     */
    public CompletableFuture<Inference> submit(String lane, FrameViews frame) {
        QueuedFrame queued = new QueuedFrame(
                Objects.requireNonNull(lane, "lane"),
                Objects.requireNonNull(frame, "frame"),
                System.nanoTime(),
                new CompletableFuture<>());
        try {
            queue.put(queued);
            return queued.result();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BatcherClosedException("interrupted while a frame waited for room in the batcher");
        }
    }

    /** The same for a frame that is only looked at as a whole: planar RGB as {@link Scorer#score} takes it. */
    public CompletableFuture<Inference> submit(String lane, byte[] frame) {
        return submit(lane, FrameViews.whole(frame));
    }

    /** How the model that serves now looks at frames; as a whole where there is none, since the app is stopping. */
    public ViewLayouts views() {
        try (ServingModel.Lease lease = model.acquire()) {
            return lease.scorer().views();
        } catch (IllegalStateException e) {
            return ViewLayouts.NONE;
        }
    }

    /** Frames that wait for a batch. */
    public int queued() {
        return queue.size();
    }

    /** Moving average of the inference time per frame in nanoseconds; 0 until the first batch. */
    public long frameNanos() {
        return frameNanos;
    }

    /** Seeds {@link #frameNanos} from a warm-up, so that back-pressure is right from the first frame on. */
    public void expectFrameNanos(long nanos) {
        frameNanos = Math.max(0, nanos);
    }

    /** Scores what is queued, then stops; waits up to 30 seconds. */
    @Override
    public void close() {
        close(CLOSE_TIMEOUT);
    }

    /**
     * Rejects new frames, scores what is queued, then stops.
     *
     * @return true when the inference thread has ended; false when it is still inside the scorer, whose memory must
     *     then stay
     */
    public boolean close(Duration timeout) {
        queue.close();
        boolean interrupted = false;
        try {
            thread.join(Math.max(1, timeout.toMillis()));
        } catch (InterruptedException e) {
            interrupted = true;
        }
        boolean ended = !thread.isAlive();
        if (!ended) abandonQueue(timeout);
        if (interrupted) Thread.currentThread().interrupt();
        return ended;
    }

    private void abandonQueue(Duration timeout) {
        List<QueuedFrame> abandoned = queue.clear();
        for (QueuedFrame frame : abandoned) {
            frame.result()
                    .completeExceptionally(
                            new BatcherClosedException("the batcher was closed before this frame was scored"));
        }
        LOG.warn(
                "The inference thread did not end within {}; {} queued frames were not scored and stay uncommitted",
                timeout,
                abandoned.size());
    }

    private void run() {
        while (true) {
            List<QueuedFrame> batch = queue.takeBatch();
            if (batch.isEmpty()) return;
            try {
                score(batch);
            } catch (Throwable e) {
                // Out of memory or a broken class path: this thread must outlive it, or every later frame would wait
                // for ever.
                LOG.error(
                        "Inference of {} frames ended with {}; their tasks fail and process them again",
                        batch.size(),
                        e.toString(),
                        e);
                batch.forEach(frame -> frame.result().completeExceptionally(e));
            }
        }
    }

    private void score(List<QueuedFrame> batch) {
        List<Answer> answers;
        CheckpointInfo info;
        long start;
        try (ServingModel.Lease lease = model.acquire()) {
            Scorer scorer = lease.scorer();
            info = scorer.info();
            start = System.nanoTime();
            announceModel(batch, info, start);
            answers = batchScorer.score(
                    scorer, batch.stream().map(QueuedFrame::views).toList(), features.getAsBoolean());
        } finally {
            lastEnd = System.nanoTime();
        }
        long took = lastEnd - start;
        measure(took / batch.size());
        Instant now = Instant.now();
        listener.onBatch(batch.size(), BatchScorer.failures(answers), took);
        for (int i = 0; i < answers.size(); i++) {
            QueuedFrame frame = batch.get(i);
            long waited = start - frame.queuedAt();
            frame.result().complete(new Inference(answers.get(i), info, waited, took, batch.size(), now));
        }
    }

    private void measure(long nanosPerFrame) {
        frameNanos = frameNanos == 0 ? nanosPerFrame : frameNanos + (nanosPerFrame - frameNanos) / 4;
    }

    private void announceModel(List<QueuedFrame> batch, CheckpointInfo info, long start) {
        if (info == lastModel) return;
        long waiting = start;
        for (QueuedFrame frame : batch) waiting = Math.min(waiting, frame.queuedAt());
        listener.onModel(info, lastModel == null ? 0 : Math.max(0, start - Math.max(lastEnd, waiting)));
        lastModel = info;
    }
}

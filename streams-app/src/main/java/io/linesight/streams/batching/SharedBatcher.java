package io.linesight.streams.batching;

import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.runtime.ScoringException;
import io.linesight.mmad.score.Scorer;
import io.linesight.mmad.score.Scores;
import io.linesight.schemas.clients.DaemonThreads;
import io.linesight.streams.serving.ServingModel;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gathers frames of all tasks and stream threads into batches for one scorer.
 *
 * <p>Every batch takes a lease of the model for itself, so models may be swapped between two batches.
 *
 * <p>One inference thread, because a scorer takes one caller at a time. A batch starts when {@code maxBatch} frames
 * wait, or when the oldest one has waited {@code maxLinger}; while a batch runs the next one fills. Frames are taken
 * round-robin over their lanes (cameras), so a camera that floods its topic delays itself and not the others. Within a
 * lane the order of submission is kept.
 *
 * <p>Nothing a model does loses a frame: a batch that fails is tried again frame by frame, and a frame that fails alone
 * completes with {@link Inference#failed()}. Futures complete on the inference thread, so dependants should be
 * asynchronous or trivial.
 */
public final class SharedBatcher implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(SharedBatcher.class);
    private static final Duration CLOSE_PATIENCE = Duration.ofSeconds(30);
    private static final long WARNING_INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(10);

    private record Entry(String lane, byte[] frame, long enqueuedAt, CompletableFuture<Inference> future) {}

    private final ServingModel model;
    private final int maxBatch;
    private final long lingerNanos;
    private final int capacity;
    private final BatchListener listener;
    private final Thread thread;

    // Fair: producers that wait for room get it in the order in which they came.
    private final ReentrantLock lock = new ReentrantLock(true);
    private final Condition changed = lock.newCondition();
    private final Condition room = lock.newCondition();
    private final Map<String, ArrayDeque<Entry>> lanes = new HashMap<>();
    private final ArrayDeque<String> turn = new ArrayDeque<>();
    private int queued;
    private boolean closing;

    private volatile long frameNanos;
    private long lastWarning = System.nanoTime() - WARNING_INTERVAL_NANOS;
    // Inference thread only.
    private CheckpointInfo lastModel;
    private long lastEnd;

    /** As the other constructor, with {@code linesight-inference} as the thread's name. */
    public SharedBatcher(ServingModel model, int maxBatch, Duration maxLinger, int capacity, BatchListener listener) {
        this("linesight-inference", model, maxBatch, maxLinger, capacity, listener);
    }

    /**
     * Starts the inference thread.
     *
     * @param name of the inference thread
     * @param maxBatch most frames per batch, 1 or more
     * @param maxLinger longest wait of a frame for company; zero means as soon as the scorer is free
     * @param capacity most frames waiting; {@link #submit} blocks beyond it
     */
    public SharedBatcher(
            String name, ServingModel model, int maxBatch, Duration maxLinger, int capacity, BatchListener listener) {
        if (maxBatch < 1) throw new IllegalArgumentException("maxBatch must be at least 1, got " + maxBatch);
        if (maxLinger.isNegative())
            throw new IllegalArgumentException("maxLinger must not be negative, got " + maxLinger);
        if (capacity < maxBatch)
            throw new IllegalArgumentException("capacity " + capacity + " is smaller than a batch of " + maxBatch);
        this.model = Objects.requireNonNull(model, "model");
        this.listener = Objects.requireNonNull(listener, "listener");
        this.maxBatch = maxBatch;
        this.lingerNanos = maxLinger.toNanos();
        this.capacity = capacity;
        listener.onStart(this::queued);
        thread = DaemonThreads.start(name, this::run);
    }

    /**
     * Queues a frame; blocks while the queue is full.
     *
     * @param lane frames of one lane are scored in order, and lanes take turns; normally the camera id
     * @param frame planar RGB as {@link Scorer#score} takes it; not copied, must not change
     * @return completes with the model's answer, or exceptionally with {@link BatcherClosedException} or an
     *     {@link Error} of the JVM
     * @throws BatcherClosedException when the batcher is closed or the caller is interrupted while waiting
     */
    public CompletableFuture<Inference> submit(String lane, byte[] frame) {
        Entry entry = new Entry(
                Objects.requireNonNull(lane, "lane"),
                Objects.requireNonNull(frame, "frame"),
                System.nanoTime(),
                new CompletableFuture<>());
        try {
            lock.lockInterruptibly();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BatcherClosedException("interrupted while a frame waited for the batcher");
        }
        try {
            while (queued >= capacity && !closing) room.await();
            if (closing) throw new BatcherClosedException("the batcher is closed");
            ArrayDeque<Entry> waiting = lanes.get(lane);
            if (waiting == null) {
                waiting = new ArrayDeque<>();
                lanes.put(lane, waiting);
                turn.add(lane);
            }
            waiting.add(entry);
            queued++;
            // The inference thread only cares about the first frame (to start lingering) and about a full batch.
            if (queued == 1 || queued == maxBatch) changed.signal();
            return entry.future;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BatcherClosedException("interrupted while a frame waited for room in the batcher");
        } finally {
            lock.unlock();
        }
    }

    /** Frames that wait for a batch. */
    public int queued() {
        lock.lock();
        try {
            return queued;
        } finally {
            lock.unlock();
        }
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
        close(CLOSE_PATIENCE);
    }

    /**
     * Refuses new frames, scores what is queued, then stops.
     *
     * @return true when the inference thread has ended and the scorer may be closed; false when it is still inside the
     *     scorer, whose memory must then stay
     */
    public boolean close(Duration patience) {
        lock.lock();
        try {
            closing = true;
            changed.signalAll();
            room.signalAll();
        } finally {
            lock.unlock();
        }
        boolean interrupted = false;
        try {
            thread.join(Math.max(1, patience.toMillis()));
        } catch (InterruptedException e) {
            interrupted = true;
        }
        boolean ended = !thread.isAlive();
        if (!ended) {
            List<Entry> abandoned = new ArrayList<>();
            lock.lock();
            try {
                lanes.values().forEach(abandoned::addAll);
                lanes.clear();
                turn.clear();
                queued = 0;
            } finally {
                lock.unlock();
            }
            abandoned.forEach(e -> e.future.completeExceptionally(
                    new BatcherClosedException("the batcher was closed before this frame was scored")));
            LOG.warn(
                    "The inference thread did not end within {}; {} queued frames were not scored and stay uncommitted",
                    patience,
                    abandoned.size());
        }
        if (interrupted) Thread.currentThread().interrupt();
        return ended;
    }

    private void run() {
        while (true) {
            List<Entry> batch = take();
            if (batch.isEmpty()) return;
            try {
                score(batch);
            } catch (Throwable e) {
                // Out of memory or a broken class path: this thread must outlive it, or every later frame would wait
                // for ever.
                LOG.error(
                        "Inference of {} frames ended with {}; their tasks fail and take them up again",
                        batch.size(),
                        e.toString(),
                        e);
                batch.forEach(entry -> entry.future.completeExceptionally(e));
            }
        }
    }

    private List<Entry> take() {
        lock.lock();
        try {
            while (queued == 0) {
                if (closing) return List.of();
                changed.awaitUninterruptibly();
            }
            long deadline = oldest() + lingerNanos;
            while (queued < maxBatch && !closing) {
                long left = deadline - System.nanoTime();
                if (left <= 0) break;
                awaitNanos(left);
                if (queued == 0) return take();
            }
            List<Entry> batch = new ArrayList<>(Math.min(queued, maxBatch));
            while (batch.size() < maxBatch && !turn.isEmpty()) {
                String lane = turn.poll();
                ArrayDeque<Entry> waiting = lanes.get(lane);
                batch.add(waiting.poll());
                if (waiting.isEmpty()) lanes.remove(lane);
                else turn.add(lane);
            }
            queued -= batch.size();
            room.signalAll();
            return batch;
        } finally {
            lock.unlock();
        }
    }

    private void awaitNanos(long nanos) {
        try {
            changed.awaitNanos(nanos);
        } catch (InterruptedException e) {
            // Nobody has a reason to interrupt this thread; closing is signalled by the flag.
            LOG.debug("Spurious interrupt of the inference thread");
        }
    }

    private long oldest() {
        long oldest = Long.MAX_VALUE;
        for (ArrayDeque<Entry> waiting : lanes.values()) oldest = Math.min(oldest, waiting.peek().enqueuedAt);
        return oldest;
    }

    private void score(List<Entry> batch) {
        Object[] answers = new Object[batch.size()];
        CheckpointInfo info;
        long start;
        int failed;
        try (ServingModel.Lease lease = model.acquire()) {
            Scorer scorer = lease.scorer();
            info = scorer.info();
            start = System.nanoTime();
            sayModel(batch, info, start);
            failed = score(scorer, batch, answers);
        } finally {
            lastEnd = System.nanoTime();
        }
        long took = lastEnd - start;
        long perFrame = took / batch.size();
        frameNanos = frameNanos == 0 ? perFrame : frameNanos + (perFrame - frameNanos) / 4;
        Instant now = Instant.now();
        listener.onBatch(batch.size(), failed, took);
        for (int i = 0; i < answers.length; i++) {
            Entry entry = batch.get(i);
            long queue = start - entry.enqueuedAt;
            if (answers[i] instanceof Scores scores) {
                int at = scores.count() == batch.size() ? i : 0;
                entry.future.complete(new Inference(
                        scores.raw()[at], scores.map(at), scores.size(), null, info, queue, took, batch.size(), now));
            } else {
                entry.future.complete(new Inference(
                        Float.NaN,
                        null,
                        0,
                        String.valueOf(((RuntimeException) answers[i]).getMessage()),
                        info,
                        queue,
                        took,
                        batch.size(),
                        now));
            }
        }
    }

    /** Fills in {@link Scores} or the exception for every frame; returns how many failed. */
    private int score(Scorer scorer, List<Entry> batch, Object[] answers) {
        int failed = 0;
        try {
            Scores scores = checked(scorer, batch.stream().map(Entry::frame).toList());
            for (int i = 0; i < answers.length; i++) answers[i] = scores;
        } catch (RuntimeException e) {
            listener.onRetry(batch.size(), e);
            for (int i = 0; i < answers.length; i++) {
                try {
                    answers[i] = checked(scorer, List.of(batch.get(i).frame));
                } catch (RuntimeException alone) {
                    failed++;
                    answers[i] = alone;
                }
            }
            warn(batch.size(), failed, e);
        }
        return failed;
    }

    private void sayModel(List<Entry> batch, CheckpointInfo info, long start) {
        if (info == lastModel) return;
        long waiting = start;
        for (Entry entry : batch) waiting = Math.min(waiting, entry.enqueuedAt);
        listener.onModel(info, lastModel == null ? 0 : Math.max(0, start - Math.max(lastEnd, waiting)));
        lastModel = info;
    }

    /** A model that answers with the wrong shape is as broken as one that throws. */
    private static Scores checked(Scorer scorer, List<byte[]> frames) {
        Scores scores = scorer.score(frames);
        long pixels = (long) scores.size() * scores.size();
        if (scores.count() != frames.size()
                || scores.raw().length != frames.size()
                || scores.maps().length != pixels * frames.size()) {
            throw new ScoringException(
                    "the model answered " + frames.size() + " frames with " + scores.count() + " scores and "
                            + scores.maps().length + " map values",
                    null);
        }
        return scores;
    }

    private void warn(int size, int failed, RuntimeException cause) {
        long now = System.nanoTime();
        if (now - lastWarning < WARNING_INTERVAL_NANOS) return;
        lastWarning = now;
        LOG.warn(
                "Inference failed on a batch of {}; tried frame by frame, {} failed alone and get verdict REVIEW",
                size,
                failed,
                cause);
    }
}

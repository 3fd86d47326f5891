package io.linesight.streams.batching;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A bounded queue whose lanes take turns: a lane that floods it delays itself and not the others. Within a lane the
 * order of submission is kept.
 *
 * <p>Thread-safe, for many producers and one consumer.
 */
final class LaneQueue {

    private final int maxBatch;
    private final long lingerNanos;
    private final int capacity;

    // Fair: producers that wait for room get it in the order in which they came.
    private final ReentrantLock lock = new ReentrantLock(true);
    private final Condition changed = lock.newCondition();
    private final Condition room = lock.newCondition();
    private final Map<String, ArrayDeque<QueuedFrame>> lanes = new HashMap<>();
    private final ArrayDeque<String> turns = new ArrayDeque<>();
    private int size;
    private boolean closed;

    LaneQueue(BatchLimits limits) {
        this.maxBatch = limits.maxBatch();
        this.lingerNanos = limits.linger().toNanos();
        this.capacity = limits.capacity();
    }

    /**
     * Adds a frame; blocks while the queue is full.
     *
     * @throws BatcherClosedException when the queue is closed
     */
    void put(QueuedFrame frame) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (size >= capacity && !closed) room.await();
            if (closed) throw new BatcherClosedException("the batcher is closed");
            ArrayDeque<QueuedFrame> lane = lanes.get(frame.lane());
            if (lane == null) {
                lane = new ArrayDeque<>();
                lanes.put(frame.lane(), lane);
                turns.add(frame.lane());
            }
            lane.add(frame);
            size++;
            // The consumer only cares about the first frame (to start lingering) and about a full batch.
            if (size == 1 || size == maxBatch) changed.signal();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Removes the next batch: as soon as {@code maxBatch} frames are queued or the oldest has lingered. Blocks until
     * then; once closed it takes what there is.
     *
     * @return empty when the queue is closed and empty
     */
    List<QueuedFrame> takeBatch() {
        lock.lock();
        try {
            while (!awaitBatch()) {
                if (closed && size == 0) return List.of();
            }
            return poll();
        } finally {
            lock.unlock();
        }
    }

    /** Waits for a batch; false when there is none to take, because the queue was emptied meanwhile or is closed. */
    private boolean awaitBatch() {
        while (size == 0) {
            if (closed) return false;
            changed.awaitUninterruptibly();
        }
        long deadline = oldest() + lingerNanos;
        while (size < maxBatch && !closed) {
            long left = deadline - System.nanoTime();
            if (left <= 0) return true;
            awaitNanos(left);
            if (size == 0) return false;
        }
        return size > 0;
    }

    private void awaitNanos(long nanos) {
        try {
            changed.awaitNanos(nanos);
        } catch (InterruptedException e) {
            // Nobody interrupts the consumer on purpose; close() is what ends it.
        }
    }

    private long oldest() {
        long oldest = Long.MAX_VALUE;
        for (ArrayDeque<QueuedFrame> lane : lanes.values())
            oldest = Math.min(oldest, lane.peek().queuedAt());
        return oldest;
    }

    private List<QueuedFrame> poll() {
        List<QueuedFrame> batch = new ArrayList<>(Math.min(size, maxBatch));
        while (batch.size() < maxBatch && !turns.isEmpty()) {
            String name = turns.poll();
            ArrayDeque<QueuedFrame> lane = lanes.get(name);
            batch.add(lane.poll());
            if (lane.isEmpty()) lanes.remove(name);
            else turns.add(name);
        }
        size -= batch.size();
        room.signalAll();
        return batch;
    }

    int size() {
        lock.lock();
        try {
            return size;
        } finally {
            lock.unlock();
        }
    }

    /** Rejects further frames; those in here can still be taken. Idempotent. */
    void close() {
        lock.lock();
        try {
            closed = true;
            changed.signalAll();
            room.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Removes and returns every frame. */
    List<QueuedFrame> clear() {
        lock.lock();
        try {
            List<QueuedFrame> all = new ArrayList<>(size);
            lanes.values().forEach(all::addAll);
            lanes.clear();
            turns.clear();
            size = 0;
            return all;
        } finally {
            lock.unlock();
        }
    }
}

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
    /** Places in a batch that the frames take. */
    private int slots;

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
            // A frame of more views than there is room at all comes in alone.
            while (size > 0 && slots + frame.views().slots() > capacity && !closed) room.await();
            if (closed) throw new BatcherClosedException("the batcher is closed");
            ArrayDeque<QueuedFrame> lane = lanes.get(frame.lane());
            if (lane == null) {
                lane = new ArrayDeque<>();
                lanes.put(frame.lane(), lane);
                turns.add(frame.lane());
            }
            lane.add(frame);
            size++;
            int before = slots;
            slots += frame.views().slots();
            // The consumer only cares about the first frame (to start lingering) and about a full batch.
            if (size == 1 || before < maxBatch && slots >= maxBatch) changed.signal();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Removes the next batch: as soon as frames of {@code maxBatch} views are queued or the oldest has lingered. Blocks
     * until then; once closed it takes what there is. A frame of more views comes alone.
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
        while (slots < maxBatch && !closed) {
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
        int taken = 0;
        while (taken < maxBatch && !turns.isEmpty()) {
            ArrayDeque<QueuedFrame> lane = lanes.get(turns.peek());
            int next = lane.peek().views().slots();
            if (!batch.isEmpty() && taken + next > maxBatch) break;
            String name = turns.poll();
            batch.add(lane.poll());
            taken += next;
            if (lane.isEmpty()) lanes.remove(name);
            else turns.add(name);
        }
        size -= batch.size();
        slots -= taken;
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
            slots = 0;
            return all;
        } finally {
            lock.unlock();
        }
    }
}

package io.linesight.trainer.distill;

import io.linesight.schemas.clients.DaemonThreads;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;

/** Makes coming batches on a thread of its own: crops, and the teachers' answers to them. One taker. */
final class Feed implements AutoCloseable {
    /** Batches ready at most; every batch of 32 crops of 128 pixels holds 21 MB. */
    private static final int AHEAD = 3;

    /**
     * @param images {@code [n,3,side,side]} in [0,1]
     * @param targets at the three strides {@code [n,components,side/stride,side/stride]}
     */
    record Batch(float[] images, float[][] targets) {}

    private record Item(Batch batch, Throwable failure) {}

    private final Crops crops;
    private final List<Teacher> teachers;
    private final int batch;
    private final BlockingQueue<Item> ready = new ArrayBlockingQueue<>(AHEAD);
    private final Thread thread;
    private volatile boolean closed;

    /** @param next number of the first batch */
    Feed(Crops crops, List<Teacher> teachers, int batch, long next) {
        this.crops = crops;
        this.teachers = teachers;
        this.batch = batch;
        thread = DaemonThreads.start("linesight-distill-feed", () -> produce(next));
    }

    private void produce(long first) {
        try {
            for (long n = first; !closed; n++) {
                byte[][] next = new byte[batch][];
                for (int i = 0; i < batch; i++) next[i] = crops.train(n * batch + i);
                put(new Item(answer(teachers, next, crops.side()), null));
            }
        } catch (InterruptedException e) {
            // closed
        } catch (RuntimeException | Error e) {
            try {
                put(new Item(null, e));
            } catch (InterruptedException closing) {
                // nobody will ask
            }
        }
    }

    private void put(Item item) throws InterruptedException {
        while (!closed && !ready.offer(item, 1, TimeUnit.SECONDS)) {}
    }

    /** The teachers' answers together, in the target space. */
    static Batch answer(List<Teacher> teachers, byte[][] crops, int side) {
        float[] images = images(crops);
        float[][] targets = null;
        for (Teacher teacher : teachers) {
            float[][] part = teacher.answer(images, crops.length, side);
            if (targets == null) {
                targets = part;
                continue;
            }
            for (int s = 0; s < 3; s++) for (int i = 0; i < part[s].length; i++) targets[s][i] += part[s][i];
        }
        return new Batch(images, targets);
    }

    static float[] images(byte[][] crops) {
        float[] images = new float[crops.length * crops[0].length];
        int at = 0;
        for (byte[] p : crops) for (byte b : p) images[at++] = (b & 255) / 255f;
        return images;
    }

    /** The next batch, in order. */
    Batch take() throws InterruptedException {
        Item item = ready.take();
        if (item.failure instanceof RuntimeException e) throw e;
        if (item.failure instanceof Error e) throw e;
        return item.batch;
    }

    /** Ends the thread and waits for it, so that the teachers can be closed. */
    @Override
    public void close() {
        closed = true;
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) Thread.currentThread().interrupt();
    }
}

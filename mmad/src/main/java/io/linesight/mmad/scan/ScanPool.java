package io.linesight.mmad.scan;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;

/**
 * Helpers for the callers of the operator. The caller takes part in its own work and finishes it alone when no helper
 * comes, so concurrent sessions cannot starve each other, and a thread count of 1 uses no helper at all. Threads are
 * daemons and end when idle. Thread-safe.
 */
final class ScanPool {
    private static final ExecutorService HELPERS = helpers();

    private ScanPool() {}

    private static ExecutorService helpers() {
        AtomicInteger number = new AtomicInteger();
        int max = Math.max(1, Runtime.getRuntime().availableProcessors() - 1);
        ThreadPoolExecutor pool =
                new ThreadPoolExecutor(max, max, 30, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
                    Thread thread = new Thread(task, "selective-scan-" + number.incrementAndGet());
                    thread.setDaemon(true);
                    return thread;
                });
        pool.allowCoreThreadTimeOut(true);
        return pool;
    }

    /** Runs tasks 0..count-1 on up to {@code threads} threads and returns when all are done. */
    static void run(int count, int threads, IntConsumer task) {
        Job job = new Job(count, task, Thread.currentThread());
        int wanted = Math.min(threads, count) - 1;
        for (int i = 0; i < wanted; i++) HELPERS.execute(job);
        job.run();
        job.await();
    }

    private static final class Job implements Runnable {
        private final int count;
        private final IntConsumer task;
        private final Thread caller;
        private final AtomicInteger next = new AtomicInteger();
        private final AtomicInteger left;
        private volatile Throwable failure;

        Job(int count, IntConsumer task, Thread caller) {
            this.count = count;
            this.task = task;
            this.caller = caller;
            this.left = new AtomicInteger(count);
        }

        @Override
        public void run() {
            for (int i; (i = next.getAndIncrement()) < count; ) {
                try {
                    if (failure == null) task.accept(i);
                } catch (Throwable t) {
                    failure = t;
                } finally {
                    if (left.decrementAndGet() == 0) LockSupport.unpark(caller);
                }
            }
        }

        /**
         * Interrupts are kept for the caller: the runtime's memory must not be left while a helper still writes to it.
         */
        void await() {
            boolean interrupted = false;
            while (left.get() > 0) {
                LockSupport.park(this);
                interrupted |= Thread.interrupted();
            }
            if (interrupted) caller.interrupt();
            Throwable t = failure;
            if (t instanceof RuntimeException e) throw e;
            if (t instanceof Error e) throw e;
        }
    }
}

package io.linesight.trainer.torch;

import io.linesight.schemas.clients.DaemonThreads;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * Threads of the scan: the caller works too. Tasks write disjoint memory, so the result does not depend on who takes
 * which.
 */
final class ScanThreads {
    static final int COUNT = Runtime.getRuntime().availableProcessors();
    private static final ExecutorService POOL =
            Executors.newFixedThreadPool(Math.max(1, COUNT - 1), DaemonThreads.factory("scan"));

    private ScanThreads() {}

    interface Task<S> {
        void run(int index, S scratch);
    }

    /** Runs tasks 0..n-1, each worker with scratch memory of its own, and waits. */
    static <S> void run(int n, Supplier<S> scratch, Task<S> task) {
        AtomicInteger next = new AtomicInteger();
        Runnable work = () -> {
            S mine = null;
            for (int i = next.getAndIncrement(); i < n; i = next.getAndIncrement()) {
                if (mine == null) mine = scratch.get();
                task.run(i, mine);
            }
        };
        int helpers = Math.min(COUNT, n) - 1;
        Future<?>[] running = new Future<?>[helpers];
        for (int i = 0; i < helpers; i++) running[i] = POOL.submit(work);
        RuntimeException failure = null;
        try {
            work.run();
        } catch (RuntimeException e) {
            failure = e;
        }
        for (Future<?> f : running) {
            try {
                f.get();
            } catch (ExecutionException e) {
                failure = new IllegalStateException("the selective scan failed", e.getCause());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                failure = new IllegalStateException("interrupted during the selective scan", e);
            }
        }
        if (failure != null) throw failure;
    }
}

package io.linesight.streams;

import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/** Repeats a step at a fixed pace on a thread of its own, as cameras do, until it is closed. */
public final class Pace implements AutoCloseable {
    private final ScheduledExecutorService executor;
    private final ScheduledFuture<?> steps;

    private Pace(String name, Duration period, Runnable step) {
        executor = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, name);
            thread.setDaemon(true);
            return thread;
        });
        steps = executor.scheduleWithFixedDelay(step, 0, period.toNanos(), TimeUnit.NANOSECONDS);
    }

    /** @param step an exception of it ends the repetition */
    public static Pace of(String name, Duration period, Runnable step) {
        return new Pace(name, period, step);
    }

    /** Whether no step has failed. */
    public boolean isAlive() {
        return !steps.isDone();
    }

    /** Ends after the step in progress. */
    @Override
    public void close() {
        executor.shutdown();
        boolean interrupted = false;
        try {
            executor.awaitTermination(60, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            interrupted = true;
        }
        if (interrupted) Thread.currentThread().interrupt();
    }
}

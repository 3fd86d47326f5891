package io.linesight.demo;

import io.linesight.cameras.Camera;
import io.linesight.cameras.CameraShot;
import io.linesight.cameras.FramePublisher;
import io.linesight.demo.line.CameraGroup;
import io.linesight.demo.line.Ledger;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;

/**
 * Keeps the whole line full for a few seconds, cameras included, to find the rate at which they can expose for as long
 * as they run.
 */
final class WarmUp {
    /** Of what the line bears, so that a frame seldom waits for another and the machine has room for other work. */
    static final double SHARE = 0.7;

    private static final Duration TIMEOUT = Duration.ofMinutes(2);
    private static final Duration DRAIN_TIMEOUT = Duration.ofSeconds(45);
    private static final long TICK_MILLIS = 50;
    private static final long WAIT_NANOS = 1_000_000;

    private final FramePublisher publisher;
    private final Ledger ledger;
    private final CountDownLatch stop;
    private final Saturation saturation = new Saturation();
    private volatile int window = saturation.window();
    private volatile boolean over;

    /** @param stop ends it early; publisher and ledger stay the caller's */
    WarmUp(FramePublisher publisher, Ledger ledger, CountDownLatch stop) {
        this.publisher = publisher;
        this.ledger = ledger;
        this.stop = stop;
    }

    /** Waits before every frame until the line has room for it and no other camera is behind. */
    private final class Held implements Camera {
        private final Camera camera;
        private final int index;
        private final AtomicLongArray taken;

        Held(Camera camera, int index, AtomicLongArray taken) {
            this.camera = camera;
            this.index = index;
            this.taken = taken;
        }

        @Override
        public String id() {
            return camera.id();
        }

        @Override
        public Optional<CameraShot> next() {
            while (!over && (ledger.open() >= window || isAhead())) LockSupport.parkNanos(WAIT_NANOS);
            if (over) return Optional.empty();
            taken.incrementAndGet(index);
            return camera.next();
        }

        private boolean isAhead() {
            long mine = taken.get(index);
            for (int i = 0; i < taken.length(); i++) if (taken.get(i) < mine) return true;
            return false;
        }
    }

    /**
     * Runs the cameras and returns when every frame is answered.
     *
     * @return frames a second that all cameras together may expose; 0 when stopped before it was known
     * @throws IllegalStateException when the line does not answer
     */
    double measure(List<? extends Camera> cameras) throws InterruptedException {
        AtomicLongArray taken = new AtomicLongArray(cameras.size());
        List<Held> held = IntStream.range(0, cameras.size())
                .mapToObj(i -> new Held(cameras.get(i), i, taken))
                .toList();
        CameraGroup group = CameraGroup.start(held, publisher, ledger, Double.POSITIVE_INFINITY, -1);
        long begin = System.nanoTime();
        boolean stopped = false;
        while (!saturation.isDone() && !stopped && group.isRunning()) {
            double second = (System.nanoTime() - begin) / 1e9;
            if (second > TIMEOUT.toSeconds())
                throw new IllegalStateException("the line answered only " + (ledger.frames() - ledger.open())
                        + " frames in " + TIMEOUT.toSeconds() + " s; see the log, or give a rate with --fps");
            saturation.read(second, ledger.frames() - ledger.open());
            window = saturation.window();
            stopped = stop.await(TICK_MILLIS, TimeUnit.MILLISECONDS);
        }
        over = true;
        group.stopAndAwait();
        if (group.failure().isPresent())
            throw new IllegalStateException(
                    "a camera stopped: " + group.failure().get().getMessage());
        ledger.awaitSettled(DRAIN_TIMEOUT, () -> !stopRequested());
        return saturation.isDone() ? SHARE * saturation.framesPerSecond() : 0;
    }

    private boolean stopRequested() {
        return stop.getCount() == 0;
    }
}

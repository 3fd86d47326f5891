package io.linesight.cameras;

import io.linesight.schemas.FrameRef;
import io.linesight.schemas.registry.RegistryException;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes images from one camera at a rate, publishes them and records which were sent. Runs on one thread; stops when
 * the camera has no more, on {@link #stop()}, or when Kafka rejects a frame for good. Waits for the schema registry.
 */
public final class CameraDriver implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(CameraDriver.class);
    /** Frames handed to the producer and not yet acknowledged; bounds memory when the broker is slow. */
    private static final int MAX_IN_FLIGHT = 64;

    private static final long REGISTRY_DELAY_MILLIS = 500;

    private final Camera camera;
    private final FramePublisher publisher;
    private final SentFrames sentFrames;
    /** Nanoseconds between two frames; 0 for as fast as Kafka takes them. */
    private final long interval;

    private final double phase;
    private final long limit;
    private final Semaphore inFlight = new Semaphore(MAX_IN_FLIGHT);
    private volatile boolean stop;
    private volatile @Nullable Throwable failure;
    private volatile long sent;

    /**
     * @param framesPerSecond infinite means as fast as Kafka takes them
     * @param phase when the first frame is due, as a fraction of the time between two frames, 0..1; cameras with
     *     different phases do not expose at the same instant
     * @param limit max frames; negative for no limit
     */
    public CameraDriver(
            Camera camera,
            FramePublisher publisher,
            SentFrames sentFrames,
            double framesPerSecond,
            double phase,
            long limit) {
        this.camera = camera;
        this.publisher = publisher;
        this.sentFrames = sentFrames;
        interval = (long) (1e9 / framesPerSecond);
        this.phase = phase;
        this.limit = limit;
    }

    /** Stops after the image in hand. */
    public void stop() {
        stop = true;
    }

    /** Frames handed to Kafka. */
    public long sent() {
        return sent;
    }

    /** Why it stopped early; null otherwise. */
    public @Nullable Throwable failure() {
        return failure;
    }

    @Override
    public void run() {
        long due = System.nanoTime() - (long) ((1 - phase) * interval);
        try {
            for (long taken = 0; !stop && (limit < 0 || taken < limit); taken++) {
                due = awaitTurn(due);
                if (stop) break;
                Optional<CameraShot> shot = camera.next();
                if (shot.isEmpty()) break;
                publish(shot.get());
            }
            inFlight.tryAcquire(MAX_IN_FLIGHT, 60, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            failure = e;
            LOG.error("Camera {} stopped", camera.id(), e);
        }
    }

    /** Waits until the next frame is due; returns when that was. */
    private long awaitTurn(long lastDue) {
        if (interval == 0) return lastDue;
        // A camera that fell behind does not hurry to make up for it.
        long due = Math.max(lastDue + interval, System.nanoTime() - interval);
        while (!stop && System.nanoTime() < due) LockSupport.parkNanos(Math.min(due - System.nanoTime(), 50_000_000L));
        return due;
    }

    private void publish(CameraShot shot) throws InterruptedException {
        SentFrames.SentFrame entry = new SentFrames.SentFrame(
                camera.id(),
                publisher.nextSequence(camera.id()),
                shot.product(),
                shot.anomalous(),
                shot.attributes().get(CameraShot.TRUTH_DEFECT));
        while (!inFlight.tryAcquire(200, TimeUnit.MILLISECONDS)) {
            if (stop) return;
        }
        try {
            send(shot).whenComplete((ref, error) -> recordOutcome(ref, error, entry));
            sent++;
        } catch (RuntimeException e) {
            inFlight.release();
            sentFrames.rejected();
            throw e;
        }
    }

    /** Waits for a registry that is unavailable: only the first frame needs it, and it may start after the cameras. */
    private CompletableFuture<FrameRef> send(CameraShot shot) throws InterruptedException {
        for (boolean told = false; ; told = true) {
            try {
                return publisher.send(camera.id(), shot);
            } catch (RegistryException e) {
                if (!e.mayPass() || stop) throw e;
                if (!told) LOG.warn("Camera {} waits for the schema registry: {}", camera.id(), e.getMessage());
                Thread.sleep(REGISTRY_DELAY_MILLIS);
            }
        }
    }

    private void recordOutcome(FrameRef ref, @Nullable Throwable error, SentFrames.SentFrame entry) {
        inFlight.release();
        if (error == null) sentFrames.sent(ref, entry);
        else {
            sentFrames.rejected();
            LOG.warn("Kafka rejected frame {} of camera {}: {}", entry.sequence(), entry.cameraId(), error.toString());
        }
    }
}

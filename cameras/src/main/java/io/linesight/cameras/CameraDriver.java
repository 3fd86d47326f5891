package io.linesight.cameras;

import io.linesight.schemas.FrameRef;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.DoubleSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes pictures from one camera at a rate, publishes them and books them. One thread; stops when the camera has no
 * more, when told to, or when Kafka refuses for good.
 */
public final class CameraDriver implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(CameraDriver.class);
    /** Frames handed to the producer and not yet acknowledged; bounds memory when the broker is slow. */
    private static final int UNDER_WAY = 64;

    private final Camera camera;
    private final FramePublisher publisher;
    private final SentFrames sentFrames;
    private final DoubleSupplier framesPerSecond;
    private final long limit;
    private final Semaphore underWay = new Semaphore(UNDER_WAY);
    private volatile boolean stop;
    private volatile Throwable failure;
    private volatile long sent;

    /**
     * @param framesPerSecond asked before every frame; infinite means as fast as Kafka takes them
     * @param limit most frames; negative for no limit
     */
    public CameraDriver(
            Camera camera,
            FramePublisher publisher,
            SentFrames sentFrames,
            DoubleSupplier framesPerSecond,
            long limit) {
        this.camera = camera;
        this.publisher = publisher;
        this.sentFrames = sentFrames;
        this.framesPerSecond = framesPerSecond;
        this.limit = limit;
    }

    /** Stops after the picture it is taking. */
    public void stop() {
        stop = true;
    }

    /** Frames handed to Kafka. */
    public long sent() {
        return sent;
    }

    /** Why it stopped early; null while all is well. */
    public Throwable failure() {
        return failure;
    }

    @Override
    public void run() {
        long due = System.nanoTime();
        try {
            for (long sequence = 0; !stop && (limit < 0 || sequence < limit); sequence++) {
                double rate = framesPerSecond.getAsDouble();
                if (!Double.isInfinite(rate)) {
                    // A camera that fell behind does not hurry to make up for it.
                    due = Math.max(due + (long) (1e9 / rate), System.nanoTime() - (long) (1e9 / rate));
                    while (!stop && System.nanoTime() < due)
                        LockSupport.parkNanos(Math.min(due - System.nanoTime(), 50_000_000L));
                    if (stop) break;
                }
                Optional<CameraShot> shot = camera.next();
                if (shot.isEmpty()) break;
                publish(shot.get(), sequence);
            }
            underWay.tryAcquire(UNDER_WAY, 60, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            failure = e;
            LOG.error("Camera {} stopped", camera.id(), e);
        }
    }

    private void publish(CameraShot shot, long sequence) throws InterruptedException {
        SentFrames.SentFrame entry = new SentFrames.SentFrame(
                camera.id(),
                sequence,
                shot.product(),
                shot.anomalous(),
                shot.attributes().get(CameraShot.TRUTH_DEFECT));
        while (!underWay.tryAcquire(200, TimeUnit.MILLISECONDS)) {
            if (stop) return;
        }
        try {
            publisher.send(camera.id(), shot).whenComplete((ref, error) -> booked(ref, error, entry));
            sent++;
        } catch (RuntimeException e) {
            underWay.release();
            sentFrames.rejected();
            throw e;
        }
    }

    private void booked(FrameRef ref, Throwable error, SentFrames.SentFrame entry) {
        underWay.release();
        if (error == null) sentFrames.sent(ref, entry);
        else {
            sentFrames.rejected();
            LOG.warn("Kafka did not take frame {} of {}: {}", entry.sequence(), entry.cameraId(), error.toString());
        }
    }
}

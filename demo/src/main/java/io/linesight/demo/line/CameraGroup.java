package io.linesight.demo.line;

import io.linesight.cameras.Camera;
import io.linesight.cameras.CameraDriver;
import io.linesight.cameras.FramePublisher;
import io.linesight.cameras.SentFrames;
import io.linesight.schemas.clients.DaemonThreads;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;

/** Cameras that run together, each on a thread of its own. Threads: one owner, who starts and stops them. */
public final class CameraGroup {
    private static final long JOIN_MILLIS = 60_000;

    private final List<CameraDriver> drivers;
    private final List<Thread> threads;

    private CameraGroup(List<CameraDriver> drivers, List<Thread> threads) {
        this.drivers = drivers;
        this.threads = threads;
    }

    /**
     * Starts all cameras, their exposures spread evenly over the time between two frames of one.
     *
     * @param publisher stays the caller's; close it after the cameras have stopped
     * @param framesPerSecond of each camera; infinite means as fast as Kafka takes them
     * @param limit maximum number of frames per camera; negative for no limit
     */
    public static CameraGroup start(
            List<? extends Camera> cameras,
            FramePublisher publisher,
            SentFrames sentFrames,
            double framesPerSecond,
            long limit) {
        int n = cameras.size();
        List<CameraDriver> drivers = IntStream.range(0, n)
                .mapToObj(i ->
                        new CameraDriver(cameras.get(i), publisher, sentFrames, framesPerSecond, (double) i / n, limit))
                .toList();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < drivers.size(); i++)
            threads.add(DaemonThreads.start("linesight-" + cameras.get(i).id(), drivers.get(i)));
        return new CameraGroup(drivers, threads);
    }

    /** Frames that one of the cameras has handed to Kafka. */
    public long sent(int camera) {
        return drivers.get(camera).sent();
    }

    /** Whether a camera still runs. */
    public boolean isRunning() {
        return threads.stream().anyMatch(Thread::isAlive);
    }

    /** Why a camera stopped early; empty while all is well. */
    public Optional<Throwable> failure() {
        return drivers.stream()
                .map(CameraDriver::failure)
                .filter(Objects::nonNull)
                .findFirst();
    }

    /** Asks all cameras to stop after the frame that they are taking; does not wait. */
    public void stop() {
        drivers.forEach(CameraDriver::stop);
    }

    /** Stops all cameras and waits until Kafka has acknowledged their frames, up to a minute for each. */
    public void stopAndAwait() throws InterruptedException {
        stop();
        for (Thread thread : threads) thread.join(JOIN_MILLIS);
    }
}

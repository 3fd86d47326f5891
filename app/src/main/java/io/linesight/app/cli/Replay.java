package io.linesight.app.cli;

import io.linesight.cameras.Camera;
import io.linesight.cameras.CameraDriver;
import io.linesight.cameras.FramePublisher;
import io.linesight.demo.line.Ledger;
import io.linesight.demo.line.RunSummary;
import io.linesight.demo.line.TopicReader;
import io.linesight.schemas.AnomalyEvent;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.clients.DaemonThreads;
import io.linesight.schemas.topics.Topics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** Plays cameras into Kafka and, when asked, waits for the answers and sums them up. */
public final class Replay {
    private final Map<String, String> settings;
    private final Topics topics;
    private final Consumer<String> say;
    private final CountDownLatch stop = new CountDownLatch(1);

    /**
     * How a replay went.
     *
     * @param summary null when the answers were not awaited
     * @param sent frames that Kafka acknowledged
     * @param skipped pictures that could not be read
     * @param failure what ended it early; null when all went well
     */
    public record Outcome(RunSummary summary, long sent, long skipped, String failure) {}

    /**
     * @param settings at least {@code bootstrap.servers} and {@code schema.registry.url}
     * @param say told what happens, one line at a time
     */
    public Replay(Map<String, String> settings, Topics topics, Consumer<String> say) {
        this.settings = settings;
        this.topics = topics;
        this.say = say;
    }

    /** Ends it early. Any thread. */
    public void stop() {
        stop.countDown();
    }

    /**
     * Plays.
     *
     * @param fps frames a second and camera; infinite for as fast as Kafka takes them
     * @param limit most frames per camera; negative for no limit
     * @param duration longest time; null for no limit
     * @param patience how long to wait without any new answer; null not to wait for answers at all
     */
    public Outcome run(List<? extends Camera> cameras, double fps, long limit, Duration duration, Duration patience)
            throws InterruptedException {
        Ledger ledger = new Ledger();
        if (patience == null) return play(ledger, cameras, fps, limit, duration, null, null);
        try (TopicReader reader = TopicReader.open(settings, topics, booking(ledger))) {
            return play(ledger, cameras, fps, limit, duration, patience, reader);
        }
    }

    /** Books what belongs to this replay and what does not alike; only frames it has sent itself are summed up. */
    private static TopicReader.Listener booking(Ledger ledger) {
        return new TopicReader.Listener() {
            @Override
            public void result(InspectionResult result, long arrivedMicros) {
                ledger.result(result, arrivedMicros);
            }

            @Override
            public void anomaly(AnomalyEvent event) {
                ledger.anomaly(event.getResult().getFrameRef());
            }

            @Override
            public void deadLetter(FrameRef source, String code, String message) {
                if (source != null) ledger.deadLetter(source, code);
            }
        };
    }

    private Outcome play(
            Ledger ledger,
            List<? extends Camera> cameras,
            double fps,
            long limit,
            Duration duration,
            Duration patience,
            TopicReader reader)
            throws InterruptedException {
        List<CameraDriver> drivers = new ArrayList<>();
        List<Thread> threads = new ArrayList<>();
        try (FramePublisher publisher = new FramePublisher(settings, topics, "replay")) {
            for (Camera camera : cameras) {
                CameraDriver driver = new CameraDriver(camera, publisher, ledger, () -> fps, limit);
                drivers.add(driver);
                threads.add(DaemonThreads.start("linesight-" + camera.id(), driver));
            }
            long begin = System.nanoTime();
            long told = begin;
            while (threads.stream().anyMatch(Thread::isAlive)) {
                boolean over = duration != null && System.nanoTime() - begin >= duration.toNanos();
                if (over || stop.await(100, TimeUnit.MILLISECONDS)) {
                    drivers.forEach(CameraDriver::stop);
                    Thread.sleep(20);
                }
                told = progress(ledger, told, patience != null);
            }
        }
        String failure = drivers.stream()
                .map(CameraDriver::failure)
                .filter(f -> f != null)
                .map(f -> "a camera stopped: " + f.getMessage())
                .findFirst()
                .orElse(null);
        long skipped = cameras.stream().mapToLong(Camera::skipped).sum();
        if (patience == null) return new Outcome(null, ledger.frames(), skipped, failure);
        long[] told = {System.nanoTime()};
        ledger.awaitAnswers(patience, () -> {
            told[0] = progress(ledger, told[0], true);
            return reader.failure() == null;
        });
        if (reader.failure() != null && failure == null)
            failure = "reading the results failed: " + reader.failure().getMessage();
        return new Outcome(RunSummary.of(ledger), ledger.frames(), skipped, failure);
    }

    private long progress(Ledger ledger, long told, boolean answers) {
        if (System.nanoTime() - told < 10_000_000_000L) return told;
        say.accept(ledger.frames() + " frames sent"
                + (answers ? ", " + (ledger.frames() - ledger.open()) + " answered" : ""));
        return System.nanoTime();
    }
}

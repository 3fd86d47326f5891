package io.linesight.app.cli;

import io.linesight.cameras.Camera;
import io.linesight.cameras.FramePublisher;
import io.linesight.demo.line.CameraGroup;
import io.linesight.demo.line.Ledger;
import io.linesight.demo.line.LedgerListener;
import io.linesight.demo.line.RunSummary;
import io.linesight.demo.line.TopicReader;
import io.linesight.schemas.topics.Topics;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Plays cameras into Kafka and, when asked, waits for the answers and sums them up. Use once. */
final class Replay {
    private static final long PROGRESS_NANOS = 10_000_000_000L;

    private final Map<String, String> settings;
    private final Topics topics;
    private final Consumer<String> progress;
    private final CountDownLatch stop = new CountDownLatch(1);
    private final Ledger ledger = new Ledger();
    private long lastProgress = System.nanoTime();

    /**
     * How fast and how long cameras play.
     *
     * @param fps frames a second and camera; infinite for as fast as Kafka takes them
     * @param limit maximum number of frames per camera; negative for no limit
     * @param duration maximum time; null for no limit
     */
    record Pace(double fps, long limit, @Nullable Duration duration) {}

    /**
     * How a replay ended.
     *
     * @param summary null when answers were not awaited
     * @param sent frames that Kafka acknowledged
     * @param skipped images that could not be read
     * @param failure what ended it early; null when all went well
     */
    record Outcome(@Nullable RunSummary summary, long sent, long skipped, @Nullable String failure) {}

    /**
     * @param settings at least {@code bootstrap.servers} and {@code schema.registry.url}
     * @param progress given one line of text every ten seconds
     */
    public Replay(Map<String, String> settings, Topics topics, Consumer<String> progress) {
        this.settings = settings;
        this.topics = topics;
        this.progress = progress;
    }

    /** Ends it early. Any thread. */
    public void stop() {
        stop.countDown();
    }

    /**
     * Plays the cameras.
     *
     * @param answerTimeout gives up waiting when no answer has come for this long; null to not wait for answers
     */
    public Outcome run(List<? extends Camera> cameras, Pace pace, @Nullable Duration answerTimeout)
            throws InterruptedException {
        if (answerTimeout == null) {
            Optional<String> failure = play(cameras, pace, false);
            return new Outcome(null, ledger.frames(), skipped(cameras), failure.orElse(null));
        }
        try (TopicReader reader = TopicReader.open(settings, topics, new LedgerListener(ledger))) {
            Optional<String> failure = play(cameras, pace, true);
            ledger.awaitAnswers(answerTimeout, () -> {
                reportProgress(true);
                return reader.failure().isEmpty();
            });
            failure = failure.or(() -> reader.failure().map(e -> "reading the results failed: " + e.getMessage()));
            return new Outcome(RunSummary.of(ledger), ledger.frames(), skipped(cameras), failure.orElse(null));
        }
    }

    private static long skipped(List<? extends Camera> cameras) {
        return cameras.stream().mapToLong(Camera::skipped).sum();
    }

    private Optional<String> play(List<? extends Camera> cameras, Pace pace, boolean withAnswers)
            throws InterruptedException {
        try (FramePublisher publisher = new FramePublisher(settings, topics, "replay")) {
            CameraGroup group = CameraGroup.start(cameras, publisher, ledger, pace.fps(), pace.limit());
            long begin = System.nanoTime();
            boolean over = false;
            while (!over && group.isRunning()) {
                over = stop.await(100, TimeUnit.MILLISECONDS)
                        || pace.duration() != null
                                && System.nanoTime() - begin >= pace.duration().toNanos();
                reportProgress(withAnswers);
            }
            group.stopAndAwait();
            return group.failure().map(e -> "a camera stopped: " + e.getMessage());
        }
    }

    private void reportProgress(boolean withAnswers) {
        if (System.nanoTime() - lastProgress < PROGRESS_NANOS) return;
        lastProgress = System.nanoTime();
        progress.accept(ledger.frames() + " frames sent"
                + (withAnswers ? ", " + (ledger.frames() - ledger.open()) + " answered" : ""));
    }
}

package io.linesight.streams.routing;

import io.linesight.schemas.FrameRef;
import io.linesight.schemas.ShadowDifference;
import io.linesight.schemas.clients.DaemonThreads;
import io.linesight.streams.batching.BatcherClosedException;
import io.linesight.streams.batching.FrameViews;
import io.linesight.streams.batching.Inference;
import io.linesight.streams.batching.SharedBatcher;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has a challenger score a sample of the frames that the champion has decided, and publishes how the two differ. Never
 * in the champion's way: samples wait in a bounded queue that drops what does not fit, and the challenger only starts
 * on a few at a time while the champion is not behind. On a line that is always full there are therefore few samples or
 * none; the metrics count what was dropped.
 *
 * <p>Differences are not part of a result's transaction: after a crash some are missing or there twice.
 */
public final class ShadowLane implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(ShadowLane.class);
    /** Frames the challenger takes at a time: while they run, the champion can find the processor or the GPU taken. */
    private static final int MAX_BATCH = 4;

    private static final long YIELD_MILLIS = 2;

    /**
     * A frame that the champion has decided.
     *
     * @param challenger version that is to score it
     * @param views of the frame
     */
    record Sample(
            FrameRef source,
            String camera,
            @Nullable String product,
            String champion,
            String challenger,
            Verdicts.Decision decision,
            FrameViews views) {}

    private final SharedBatcher challenger;
    private final IntSupplier championQueued;
    private final int busy;
    private final Verdicts verdicts;
    private final ShadowPublisher publisher;
    private final RolloutGuard guard;
    private final ShadowEvents events;
    private final ArrayBlockingQueue<Sample> queue;
    private final Thread thread;
    private volatile boolean closing;

    /**
     * @param challenger scores the samples; not owned
     * @param championQueued frames that wait for the champion
     * @param busy number of waiting frames from which on the champion counts as behind; normally its largest batch
     * @param capacity samples that may wait
     */
    public ShadowLane(
            SharedBatcher challenger,
            IntSupplier championQueued,
            int busy,
            int capacity,
            Verdicts verdicts,
            ShadowPublisher publisher,
            RolloutGuard guard,
            ShadowEvents events) {
        this.challenger = challenger;
        this.championQueued = championQueued;
        this.busy = busy;
        this.verdicts = verdicts;
        this.publisher = publisher;
        this.guard = guard;
        this.events = events;
        this.queue = new ArrayBlockingQueue<>(capacity);
        thread = DaemonThreads.create("linesight-shadow", this::run);
        thread.setPriority(Thread.MIN_PRIORITY);
        thread.start();
    }

    /** Takes a sample, or drops it; returns at once. */
    void offer(Sample sample) {
        if (closing || !queue.offer(sample)) events.dropped();
    }

    private void run() {
        List<Sample> samples = new ArrayList<>(MAX_BATCH);
        while (!closing) {
            try {
                Sample first = queue.poll(200, TimeUnit.MILLISECONDS);
                if (first == null) continue;
                while (championQueued.getAsInt() >= busy && !closing) Thread.sleep(YIELD_MILLIS);
                samples.add(first);
                queue.drainTo(samples, MAX_BATCH - 1);
                compare(samples);
            } catch (InterruptedException | BatcherClosedException e) {
                if (!closing) LOG.debug("Shadow samples were given up: {}", e.toString());
            } catch (RuntimeException e) {
                LOG.error("Shadow samples could not be compared; the champion is not affected", e);
            }
            samples.clear();
        }
    }

    private void compare(List<Sample> samples) throws InterruptedException {
        List<CompletableFuture<Inference>> answers = new ArrayList<>(samples.size());
        for (Sample sample : samples) answers.add(challenger.submit(sample.camera, sample.views));
        for (int i = 0; i < samples.size(); i++) {
            Inference inference;
            try {
                inference = answers.get(i).get();
            } catch (ExecutionException e) {
                events.dropped();
                continue;
            }
            Sample sample = samples.get(i);
            // Withdrawn or replaced meanwhile: then the champion has scored it a second time, which tells nothing.
            if (inference.model().version().equals(sample.challenger)) publish(sample, inference);
            else events.dropped();
        }
    }

    private void publish(Sample sample, Inference inference) {
        Verdicts.Decision decision = verdicts.decide(inference, sample.product);
        FrameRef source = sample.source;
        publisher.publish(ShadowDifference.newBuilder()
                .setResultId(source.getTopic() + "-" + source.getPartition() + "-" + source.getOffset())
                .setFrameRef(source)
                .setCameraId(sample.camera)
                .setProduct(sample.product)
                .setChampion(sample.champion)
                .setChallenger(sample.challenger)
                .setChampionScore((float) sample.decision.score())
                .setChallengerScore((float) decision.score())
                .setChampionVerdict(sample.decision.verdict())
                .setChallengerVerdict(decision.verdict())
                .setChallengerMicros(inference.nanosPerFrame() / 1000)
                .setScoredAt(Instant.now().truncatedTo(ChronoUnit.MICROS))
                .build());
        events.compared();
        guard.compared(sample.camera, sample.product, sample.decision.anomalous(), inference, decision);
    }

    /**
     * Gives up what waits. Close before the batcher; waits for the samples that are being scored, up to five seconds.
     */
    @Override
    public void close() {
        closing = true;
        thread.interrupt();
        try {
            thread.join(5_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}

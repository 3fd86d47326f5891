package io.linesight.streams.batching;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.linesight.mmad.score.Scorer;
import io.linesight.mmad.score.Scores;
import io.linesight.streams.support.FakeScorer;
import io.linesight.streams.support.FixedModel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(300)
class SharedBatcherTest {

    private static final Duration LONG = Duration.ofSeconds(20);

    private final FakeScorer scorer = new FakeScorer();
    private SharedBatcher batcher;

    @AfterEach
    void stop() {
        if (batcher != null) batcher.close();
    }

    private SharedBatcher batcher(int maxBatch, Duration linger, int capacity) {
        batcher = new SharedBatcher(
                "linesight-inference",
                FixedModel.of(scorer),
                new BatchLimits(maxBatch, linger, capacity),
                BatchListener.NONE);
        return batcher;
    }

    private static byte[] frame(int first) {
        return new byte[] {(byte) first};
    }

    /** Holds the inference thread inside its next batch until the latch opens, and says when it is there. */
    private CountDownLatch[] block() {
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch release = new CountDownLatch(1);
        scorer.before = frames -> {
            inside.countDown();
            try {
                release.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        };
        return new CountDownLatch[] {inside, release};
    }

    @Test
    void shouldScoreASingleFrameAfterTheLinger() throws Exception {
        long start = System.nanoTime();
        Inference inference =
                batcher(8, Duration.ofMillis(100), 16).submit("a", frame(51)).get();
        assertThat(Duration.ofNanos(System.nanoTime() - start))
                .isGreaterThanOrEqualTo(Duration.ofMillis(100))
                .isLessThan(LONG);
        assertThat(inference.raw()).isEqualTo(0.2f);
        assertThat(inference.batchSize()).isEqualTo(1);
        assertThat(inference.queueNanos()).isGreaterThanOrEqualTo(TimeUnit.MILLISECONDS.toNanos(100));
        assertThat(inference.failed()).isFalse();
        Answer.Scored scored = (Answer.Scored) inference.answer();
        assertThat(scored.mapSize()).isEqualTo(FakeScorer.SIZE);
        assertThat(scored.map()[4 * FakeScorer.SIZE + 8]).isEqualTo(0.2f);
    }

    @Test
    void shouldNotWaitForTheLingerWhenABatchIsFull() throws Exception {
        SharedBatcher b = batcher(3, LONG, 16);
        List<CompletableFuture<Inference>> futures =
                List.of(b.submit("a", frame(1)), b.submit("a", frame(2)), b.submit("b", frame(3)));
        for (CompletableFuture<Inference> f : futures)
            assertThat(f.get(5, TimeUnit.SECONDS).batchSize()).isEqualTo(3);
    }

    @Test
    void shouldNeverExceedTheBatchSizeAndKeepTheOrderOfALane() throws Exception {
        SharedBatcher b = batcher(4, Duration.ofMillis(1), 64);
        List<CompletableFuture<Inference>> futures = new ArrayList<>();
        for (int i = 0; i < 50; i++) futures.add(b.submit("a", frame(i)));
        for (int i = 0; i < 50; i++) assertThat(futures.get(i).get().raw()).isEqualTo(i / 255f);
        assertThat(scorer.batches).allMatch(batch -> batch.size() <= 4);
        List<Integer> order = scorer.batches.stream().flatMap(List::stream).toList();
        assertThat(order).isSorted().hasSize(50);
    }

    @Test
    void shouldGiveAQuietCameraItsTurnWhileAnotherFloods() throws Exception {
        SharedBatcher b = batcher(4, Duration.ZERO, 100);
        CountDownLatch[] gate = block();
        CompletableFuture<Inference> first = b.submit("flood", frame(1));
        gate[0].await();
        for (int i = 0; i < 40; i++) b.submit("flood", frame(1));
        CompletableFuture<Inference> quiet = b.submit("quiet", frame(2));
        scorer.before = frames -> {};
        gate[1].countDown();
        first.get();
        quiet.get();
        assertThat(scorer.batches.get(1)).as("the very next batch").contains(2);
    }

    @Test
    void shouldShareABatchEquallyBetweenLanes() throws Exception {
        SharedBatcher b = batcher(6, Duration.ZERO, 100);
        CountDownLatch[] gate = block();
        b.submit("a", frame(0));
        gate[0].await();
        List<CompletableFuture<Inference>> all = new ArrayList<>();
        for (int lane = 1; lane <= 3; lane++)
            for (int i = 0; i < 10; i++) all.add(b.submit("lane" + lane, frame(lane)));
        scorer.before = frames -> {};
        gate[1].countDown();
        for (CompletableFuture<Inference> f : all) f.get();
        assertThat(scorer.batches.get(1)).containsExactlyInAnyOrder(1, 1, 2, 2, 3, 3);
    }

    @Test
    void shouldBlockWhenTheQueueIsFull() throws Exception {
        SharedBatcher b = batcher(2, Duration.ZERO, 2);
        CountDownLatch[] gate = block();
        b.submit("a", frame(0));
        gate[0].await();
        b.submit("a", frame(1));
        b.submit("a", frame(2));
        CompletableFuture<CompletableFuture<Inference>> third = new CompletableFuture<>();
        Thread submitting = new Thread(() -> third.complete(b.submit("a", frame(3))), "submitting");
        submitting.start();
        Awaitility.await("a submitter that waits")
                .atMost(LONG)
                .until(() -> submitting.getState() == Thread.State.WAITING
                        || submitting.getState() == Thread.State.TIMED_WAITING);
        assertThat(third).isNotDone();
        assertThat(b.queued()).isEqualTo(2);
        gate[1].countDown();
        assertThat(third.get().get().raw()).isEqualTo(3 / 255f);
    }

    @Test
    void shouldRetryAFailedBatchFrameByFrame() throws Exception {
        SharedBatcher b = batcher(3, LONG, 16);
        CompletableFuture<Inference> good = b.submit("a", frame(10));
        CompletableFuture<Inference> bad = b.submit("a", frame(FakeScorer.THROWS));
        CompletableFuture<Inference> alsoGood = b.submit("a", frame(20));
        assertThat(good.get().raw()).isEqualTo(10 / 255f);
        assertThat(alsoGood.get().raw()).isEqualTo(20 / 255f);
        assertThat(bad.get().failed()).isTrue();
        assertThat(bad.get().answer()).isInstanceOfSatisfying(Answer.Failed.class, f -> assertThat(f.reason())
                .contains("the runtime refused"));
        assertThat(bad.get().raw()).isNaN();
        assertThat(b.submit("a", frame(30))).satisfies(f -> {
            b.close();
            assertThat(f.get().raw()).as("the batcher goes on").isEqualTo(30 / 255f);
        });
    }

    @Test
    void shouldTryASingleFailedFrameASecondTime() throws Exception {
        AtomicInteger calls = new AtomicInteger();
        scorer.before = frames -> {
            if (calls.incrementAndGet() == 1) throw new IllegalStateException("hiccup");
        };
        Inference inference =
                batcher(1, Duration.ZERO, 4).submit("a", frame(51)).get();
        assertThat(inference.failed()).isFalse();
        assertThat(inference.raw()).isEqualTo(0.2f);
        assertThat(calls).hasValue(2);
    }

    @Test
    void shouldTreatAnAnswerOfTheWrongShapeAsAFailure() throws Exception {
        Scorer wrong = new Scorer() {
            @Override
            public io.linesight.mmad.checkpoint.CheckpointInfo info() {
                return scorer.info();
            }

            @Override
            public String device() {
                return "cpu";
            }

            @Override
            public Scores score(List<byte[]> frames) {
                return new Scores(2, 1, new float[2], new float[2]);
            }

            @Override
            public void close() {}
        };
        batcher = new SharedBatcher(
                "linesight-inference", FixedModel.of(wrong), new BatchLimits(1, Duration.ZERO, 4), BatchListener.NONE);
        assertThat(batcher.submit("a", frame(1)).get().answer())
                .isInstanceOfSatisfying(
                        Answer.Failed.class, f -> assertThat(f.reason()).contains("1 frames with 2 scores"));
    }

    @Test
    void shouldSurviveAnErrorOfTheJvmAndFailOnlyThatBatch() throws Exception {
        AtomicInteger calls = new AtomicInteger();
        scorer.before = frames -> {
            if (calls.incrementAndGet() == 1) throw new OutOfMemoryError("pretended");
        };
        SharedBatcher b = batcher(1, Duration.ZERO, 4);
        assertThatThrownBy(() -> b.submit("a", frame(1)).get())
                .isInstanceOf(ExecutionException.class)
                .hasCauseInstanceOf(OutOfMemoryError.class);
        assertThat(b.submit("a", frame(51)).get().raw()).isEqualTo(0.2f);
    }

    @Test
    void shouldScoreWhatIsQueuedWhenClosed() throws Exception {
        SharedBatcher b = batcher(8, LONG, 16);
        CompletableFuture<Inference> waiting = b.submit("a", frame(51));
        assertThat(b.close(Duration.ofSeconds(5))).isTrue();
        assertThat(waiting.get(0, TimeUnit.SECONDS).raw()).isEqualTo(0.2f);
        assertThatThrownBy(() -> b.submit("a", frame(1))).isInstanceOf(BatcherClosedException.class);
    }

    @Test
    void shouldSayWhenTheScorerIsStillBusyOnClose() throws Exception {
        SharedBatcher b = batcher(1, Duration.ZERO, 4);
        CountDownLatch[] gate = block();
        CompletableFuture<Inference> running = b.submit("a", frame(51));
        gate[0].await();
        CompletableFuture<Inference> queued = b.submit("a", frame(52));
        assertThat(b.close(Duration.ofMillis(50))).isFalse();
        assertThatThrownBy(queued::get).hasCauseInstanceOf(BatcherClosedException.class);
        gate[1].countDown();
        assertThat(running.get().raw()).isEqualTo(0.2f);
        assertThat(b.close(Duration.ofSeconds(5))).isTrue();
    }

    @Test
    void shouldCallTheScorerFromOneThreadAtATime() throws Exception {
        SharedBatcher b = batcher(8, Duration.ofMillis(1), 32);
        List<Thread> threads = new ArrayList<>();
        AtomicInteger wrong = new AtomicInteger();
        for (int t = 0; t < 6; t++) {
            int lane = t;
            Thread thread = new Thread(() -> {
                for (int i = 0; i < 300; i++) {
                    int value = (lane * 37 + i) % 250;
                    if (b.submit("lane" + lane, frame(value)).join().raw() != value / 255f) wrong.incrementAndGet();
                }
            });
            threads.add(thread);
            thread.start();
        }
        for (Thread thread : threads) thread.join();
        assertThat(wrong).hasValue(0);
        assertThat(scorer.mostConcurrent).isEqualTo(1);
        assertThat(scorer.batches.stream().mapToInt(List::size).sum()).isEqualTo(1800);
        assertThat(scorer.batches.size())
                .as("frames of several threads share batches")
                .isLessThan(1800);
    }
}

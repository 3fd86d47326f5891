package io.linesight.streams.serving;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.streams.batching.BatchLimits;
import io.linesight.streams.batching.BatchListener;
import io.linesight.streams.batching.Inference;
import io.linesight.streams.batching.SharedBatcher;
import io.linesight.streams.support.TestModels;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * 200 swaps while four cameras keep the batcher full: every frame has one answer, in order, and every model is closed.
 */
@Timeout(300)
class SwapUnderLoadTest {

    private static final int SWAPS = 200;
    private static final int CAMERAS = 4;
    private static final int BATCH = 4;
    private static final int QUIET_BATCHES = 200;
    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    @TempDir
    private Path folder;

    /** A camera that keeps some frames under way and checks the answers in order, as a task does. */
    private static final class Camera extends Thread {
        final SharedBatcher batcher;
        final AtomicReference<Boolean> on;
        volatile long frames;
        volatile long wrong;

        Camera(int number, SharedBatcher batcher, AtomicReference<Boolean> on) {
            super("camera-" + number);
            this.batcher = batcher;
            this.on = on;
        }

        private record Pending(int value, CompletableFuture<Inference> answer) {}

        @Override
        public void run() {
            Deque<Pending> pending = new ArrayDeque<>();
            long sequence = 0;
            while (on.get() || !pending.isEmpty()) {
                if (on.get() && pending.size() < 2 * BATCH) {
                    int value = (int) (sequence++ % 250);
                    pending.add(new Pending(value, batcher.submit(getName(), new byte[] {(byte) value})));
                    continue;
                }
                Pending head = pending.poll();
                Inference inference = head.answer.join();
                frames++;
                if (inference.failed() || inference.raw() != head.value / 255f) wrong++;
            }
            assert frames == sequence;
        }
    }

    /** Start and end of every batch. */
    private static final class Gaps implements BatchListener {
        private final List<long[]> batches = Collections.synchronizedList(new ArrayList<>());
        private final List<Long> pauses = Collections.synchronizedList(new ArrayList<>());
        private final AtomicInteger models = new AtomicInteger();

        @Override
        public void onBatch(int size, int failed, long nanos) {
            batches.add(new long[] {System.nanoTime(), nanos});
        }

        @Override
        public void onModel(CheckpointInfo model, long pauseNanos) {
            models.incrementAndGet();
            pauses.add(pauseNanos);
        }

        /** Longest time from the end of a batch to the end of the next, and the median batch, in microseconds. */
        long[] micros() {
            long max = 0;
            List<Long> took = new ArrayList<>();
            for (int i = 1; i < batches.size(); i++) {
                max = Math.max(max, batches.get(i)[0] - batches.get(i - 1)[0]);
                took.add(batches.get(i)[1]);
            }
            Collections.sort(took);
            return new long[] {max / 1000, took.get(took.size() / 2) / 1000, took.get(took.size() - 1) / 1000};
        }
    }

    @Test
    void shouldLoseNoFrameOver200Swaps() throws Exception {
        TestModels models = new TestModels();
        ModelLoader loader =
                new ModelLoader(models, v -> {}, models::openFile, folder, BATCH, task -> new Thread(task).start());
        models.publish("v0");
        models.promote("v0");
        ModelLifecycle lifecycle = new ModelLifecycle(
                new ModelLifecycle.Identity("a", "default", Duration.ZERO, Duration.ZERO),
                models,
                loader,
                null,
                new ModelLifecycle.Callbacks(
                        models.statuses::add, (action, basedOn, version, reason) -> {}, ModelEvents.NONE));
        lifecycle.start(Duration.ofSeconds(5));
        models.batchMillis = 3;
        Gaps gaps = new Gaps();
        SharedBatcher batcher = new SharedBatcher(
                "linesight-inference",
                lifecycle.championSlot(),
                new BatchLimits(BATCH, Duration.ofMillis(1), 2 * BATCH),
                gaps);
        AtomicReference<Boolean> on = new AtomicReference<>(true);
        List<Camera> cameras = new ArrayList<>();
        for (int i = 0; i < CAMERAS; i++) cameras.add(new Camera(i, batcher, on));
        cameras.forEach(Thread::start);
        Awaitility.await("batches without a swap").atMost(TIMEOUT).until(() -> gaps.batches.size() >= QUIET_BATCHES);
        long[] quiet = gaps.micros();
        gaps.batches.clear();
        swap(models, lifecycle);
        Awaitility.await("frames of every camera").atMost(TIMEOUT).until(() -> cameras.stream()
                .allMatch(c -> c.frames > SWAPS));
        long[] swapping = gaps.micros();
        on.set(false);
        for (Camera camera : cameras) camera.join();
        batcher.close();
        assertThat(lifecycle.close(Duration.ofSeconds(10))).isTrue();
        print(cameras, gaps, quiet, swapping, models);
        assertThat(cameras).allSatisfy(c -> {
            assertThat(c.wrong).isZero();
            assertThat(c.frames).isGreaterThan(SWAPS);
        });
        assertThat(gaps.models.get()).as("models that scored").isGreaterThan(SWAPS / 2);
        assertThat(models.opened).hasValue(SWAPS + 1);
        assertThat(models.open).as("left open").hasValue(0);
        assertThat(models.misuse).as("scored or closed while closed").hasValue(0);
        assertThat(models.mostOpen.get()).isLessThanOrEqualTo(3);
    }

    private static void swap(TestModels models, ModelLifecycle lifecycle) {
        for (int i = 1; i <= SWAPS; i++) {
            String version = "v" + i;
            models.publish(version);
            models.promote(version);
            Awaitility.await(version)
                    .atMost(TIMEOUT)
                    .pollInterval(Duration.ofMillis(1))
                    .until(() -> version.equals(lifecycle.plan().champion()));
        }
    }

    private static void print(List<Camera> cameras, Gaps gaps, long[] quiet, long[] swapping, TestModels models) {
        Collections.sort(gaps.pauses);
        long frames = cameras.stream().mapToLong(c -> c.frames).sum();
        System.out.printf(
                "SwapUnderLoadTest: %d swaps over %,d frames; longest time from result to result %,d us (without "
                        + "swaps %,d us); batch median %,d us,"
                        + " longest %,d us; pause at a swap median %,d us, longest %,d us; most models open %d%n",
                SWAPS,
                frames,
                swapping[0],
                quiet[0],
                swapping[1],
                swapping[2],
                gaps.pauses.get(gaps.pauses.size() / 2) / 1000,
                gaps.pauses.get(gaps.pauses.size() - 1) / 1000,
                models.mostOpen.get());
    }
}

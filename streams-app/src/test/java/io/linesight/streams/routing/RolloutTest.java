package io.linesight.streams.routing;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.mmad.checkpoint.Calibration;
import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.mmad.score.Scorer;
import io.linesight.mmad.score.Scores;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.Rollout;
import io.linesight.schemas.RolloutAction;
import io.linesight.schemas.RolloutMode;
import io.linesight.schemas.ShadowDifference;
import io.linesight.schemas.Verdict;
import io.linesight.streams.batching.Answer;
import io.linesight.streams.batching.BatchLimits;
import io.linesight.streams.batching.BatchListener;
import io.linesight.streams.batching.FrameViews;
import io.linesight.streams.batching.Inference;
import io.linesight.streams.batching.SharedBatcher;
import io.linesight.streams.config.GuardLimits;
import io.linesight.streams.decision.DecisionRules;
import io.linesight.streams.serving.ServingPlan;
import io.linesight.streams.support.FakeScorer;
import io.linesight.streams.support.FixedModel;
import io.linesight.streams.support.TestModels;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which model decides, what a shadow does, and when a guard steps in. */
@Timeout(300)
class RolloutTest {

    private static final GuardLimits LIMITS = new GuardLimits(200, 50, 0.05, 0.05, 2.0, 0.2, Duration.ofMinutes(1));
    private static final Duration TIMEOUT = Duration.ofSeconds(60);
    private static final FrameRef REF = new FrameRef("frames", 0, 7L);
    /** Cameras by a hash, as a share of them would be chosen. */
    private static final FrameSelector HALF =
            (rollout, camera, product, frame) -> Math.floorMod(camera.hashCode(), 2) == 0;

    private final AtomicReference<ServingPlan> plan = new AtomicReference<>(new ServingPlan(null, "a", null));
    private final List<String> distrusted = Collections.synchronizedList(new ArrayList<>());
    private final AtomicLong clock = new AtomicLong();
    private final Verdicts verdicts = new Verdicts(DecisionRules.fixed(0.4, 0.6));
    private final List<AutoCloseable> open = new ArrayList<>();
    private final TestModels models = new TestModels();
    private long revision;

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable closeable : open) closeable.close();
    }

    private void decide(RolloutMode mode, RolloutAction action, String champion, String challenger, boolean pinned) {
        Rollout rollout = Rollout.newBuilder()
                .setChannel("default")
                .setRevision(++revision)
                .setBasedOn(revision - 1)
                .setAction(action)
                .setMode(mode)
                .setChampion(champion)
                .setChallenger(challenger)
                .setPinned(pinned)
                .setBy("test")
                .setAt(Instant.now())
                .build();
        plan.set(new ServingPlan(rollout, champion, challenger));
    }

    private RolloutGuard guard() {
        return new RolloutGuard(
                plan::get,
                LIMITS,
                (rev, version, reason) -> {
                    distrusted.add(rev + " " + version + " " + reason);
                    return true;
                },
                clock::get);
    }

    private static Inference inference(String version, float raw, boolean failed, int batch, long micros) {
        CheckpointInfo info = new CheckpointInfo(
                version, "00", new Calibration(new ProductCalibration(0.5, 0.1), Map.of()), Map.of());
        Answer answer = failed
                ? new Answer.Failed("broken")
                : new Answer.Scored(new Scores(1, 1, new float[] {raw}, new float[] {raw}), 0);
        return new Inference(answer, info, 0, micros * 1000 * batch, batch, Instant.now());
    }

    private void decided(
            RolloutGuard guard, String version, String camera, float raw, boolean failed, int batch, long micros) {
        Inference inference = inference(version, raw, failed, batch, micros);
        guard.decided(camera, null, inference, verdicts.decide(inference, null));
    }

    private void decided(RolloutGuard guard, String version, String camera, int frames, double anomalous) {
        for (int i = 0; i < frames; i++)
            decided(guard, version, camera, Math.floorMod(i * 37, 100) < 100 * anomalous ? 0.9f : 0.1f, false, 4, 100);
    }

    // --- guard

    @ParameterizedTest
    @CsvSource({
        "fails, inference fails on 100.0 %",
        "nan, it returns NaN for 100.0 %",
        "slow, p95 inference time per frame is 5.0 times that of a",
        "jumps, it calls anomalous"
    })
    void shouldStopBadCanaryOnce(String kind, String reason) {
        RolloutGuard guard = guard();
        decided(guard, "a", "cam0", 100, 0.05);
        decide(RolloutMode.CANARY, RolloutAction.CANARY, "a", "b", false);
        for (int i = 0; i < 400; i++) {
            decided(guard, "a", "cam1", 0.1f, false, 4, 100);
            switch (kind) {
                case "fails" -> decided(guard, "b", "cam0", 0, true, 4, 100);
                case "nan" -> decided(guard, "b", "cam0", Float.NaN, false, 4, 100);
                case "slow" -> decided(guard, "b", "cam0", 0.1f, false, 4, 500);
                default -> decided(guard, "b", "cam0", i % 2 == 0 ? 0.9f : 0.1f, false, 4, 100);
            }
            if (i < LIMITS.minimum() - 1)
                assertThat(distrusted).as("judged after %d frames", i + 1).isEmpty();
        }
        assertThat(distrusted).hasSize(1);
        assertThat(distrusted.get(0)).startsWith("1 b guard: ").contains(reason);
        decide(RolloutMode.CANARY, RolloutAction.CANARY, "a", "b", false);
        decided(guard, "b", "cam0", 200, 0.05);
        assertThat(distrusted).as("a new decision starts from nothing").hasSize(1);
    }

    @Test
    void shouldLetAGoodCanaryBe() {
        RolloutGuard guard = guard();
        decided(guard, "a", "cam0", 200, 0.1);
        decide(RolloutMode.CANARY, RolloutAction.CANARY, "a", "b", false);
        Random random = new Random(3);
        for (int i = 0; i < 5_000; i++) {
            decided(guard, "a", "cam1", random.nextDouble() < 0.1 ? 0.9f : 0.1f, random.nextDouble() < 0.01, 4, 100);
            decided(
                    guard,
                    "b",
                    "cam0",
                    random.nextDouble() < 0.1 ? 0.9f : 0.1f,
                    random.nextDouble() < 0.01,
                    1 + random.nextInt(8),
                    110);
        }
        assertThat(distrusted).isEmpty();
    }

    @Test
    void shouldCompareACanaryWithWhatTheChampionFoundAtTheSameCamera() {
        RolloutGuard guard = guard();
        // One camera looks at a product of which a third is defective: that is no fault of the challenger.
        decided(guard, "a", "bad-line", 300, 0.34);
        decided(guard, "a", "good-line", 300, 0.01);
        decide(RolloutMode.CANARY, RolloutAction.CANARY, "a", "b", false);
        decided(guard, "b", "bad-line", 400, 0.36);
        assertThat(distrusted).isEmpty();
        decide(RolloutMode.CANARY, RolloutAction.CANARY, "a", "b", false);
        decided(guard, "b", "good-line", 400, 0.36);
        assertThat(distrusted).hasSize(1);
    }

    @Test
    void shouldCompareAShadowOnTheSameFrames() {
        RolloutGuard guard = guard();
        decided(guard, "a", "cam0", 100, 0.9);
        decide(RolloutMode.SHADOW, RolloutAction.SHADOW, "a", "b", false);
        for (int i = 0; i < 300; i++) {
            Inference inference = inference("b", 0.9f, false, 1, 100);
            guard.compared("cam0", null, true, inference, verdicts.decide(inference, null));
        }
        assertThat(distrusted).isEmpty();
        decide(RolloutMode.SHADOW, RolloutAction.SHADOW, "a", "b", false);
        for (int i = 0; i < 300; i++) {
            Inference inference = inference("b", 0.9f, false, 1, 100);
            guard.compared("cam0", null, i % 2 == 0, inference, verdicts.decide(inference, null));
        }
        assertThat(distrusted).hasSize(1);
        assertThat(distrusted.get(0)).contains("100.0 %").contains("50.0 %");
    }

    @Test
    void shouldPutANewChampionOnProbationAndEndIt() {
        RolloutGuard guard = guard();
        decided(guard, "a", "cam0", 200, 0.05);
        decide(RolloutMode.ACTIVE, RolloutAction.PROMOTE, "b", null, false);
        decided(guard, "b", "cam0", 60, 0.6);
        assertThat(distrusted).hasSize(1);
        assertThat(distrusted.get(0)).startsWith("1 b guard: it calls anomalous");
        // The old champion steps in under the same decision; it is not on probation.
        plan.set(new ServingPlan(plan.get().rollout(), "a", null));
        decided(guard, "a", "cam0", 300, 0.9);
        assertThat(distrusted).hasSize(1);

        decide(RolloutMode.ACTIVE, RolloutAction.PROMOTE, "c", null, false);
        decided(guard, "c", "cam0", 60, 0.9);
        clock.addAndGet(Duration.ofMinutes(2).toNanos());
        decided(guard, "c", "cam0", 1, 1);
        for (int i = 0; i < 300; i++) decided(guard, "c", "cam0", 0, true, 4, 100);
        assertThat(distrusted).as("after the probation").hasSize(1);
    }

    @Test
    void shouldOnlyWarnWhilePinned() {
        RolloutGuard guard = guard();
        decided(guard, "a", "cam0", 100, 0);
        decide(RolloutMode.CANARY, RolloutAction.CANARY, "a", "b", true);
        decided(guard, "b", "cam0", 300, 1);
        assertThat(distrusted).isEmpty();
    }

    // --- router and shadow

    private SharedBatcher batcher(Scorer scorer, int maxBatch, int capacity) {
        SharedBatcher batcher = new SharedBatcher(
                "linesight-inference",
                FixedModel.of(scorer),
                new BatchLimits(maxBatch, Duration.ofMillis(1), capacity),
                BatchListener.NONE);
        open.add(batcher);
        return batcher;
    }

    private ShadowLane lane(
            SharedBatcher challenger,
            SharedBatcher champion,
            int busy,
            int capacity,
            List<ShadowDifference> into,
            ShadowEvents events) {
        ShadowLane lane =
                new ShadowLane(challenger, champion::queued, busy, capacity, verdicts, into::add, guard(), events);
        open.add(0, lane);
        return lane;
    }

    @Test
    void shouldKeepACameraAtItsModelAndReturnItToTheChampion() {
        FrameRouter router = FrameRouter.of(
                batcher(models.scorer("a", ""), 4, 8),
                batcher(models.scorer("b", ""), 4, 8),
                plan::get,
                HALF,
                HALF,
                guard(),
                lane(
                        batcher(models.scorer("b", ""), 4, 8),
                        batcher(models.scorer("a", ""), 4, 8),
                        4,
                        4,
                        new ArrayList<>(),
                        ShadowEvents.NONE));
        decide(RolloutMode.CANARY, RolloutAction.CANARY, "a", "b", false);
        Map<String, Set<String>> seen = new HashMap<>();
        for (int i = 0; i < 200; i++) {
            String camera = "cam" + i % 10;
            FrameRouter.Route route = router.route(REF, camera, null);
            seen.computeIfAbsent(camera, c -> new java.util.HashSet<>())
                    .add(router.submit(route, camera, FrameViews.whole(new byte[] {1}))
                            .join()
                            .model()
                            .version());
        }
        assertThat(seen.values()).allSatisfy(versions -> assertThat(versions).hasSize(1));
        assertThat(seen.values().stream().filter(v -> v.contains("b")).count()).isBetween(1L, 9L);
        plan.set(new ServingPlan(plan.get().rollout(), "a", null));
        for (String camera : seen.keySet())
            assertThat(router.route(REF, camera, null)).isEqualTo(FrameRouter.Route.CHAMPION);
    }

    @Test
    void shouldLetTheChampionDecideWhereTheSelectorFails() {
        FrameSelector broken = (rollout, camera, product, frame) -> {
            throw new IllegalStateException("bad pattern");
        };
        SharedBatcher champion = batcher(models.scorer("a", ""), 4, 8);
        FrameRouter router = FrameRouter.of(
                champion,
                champion,
                plan::get,
                broken,
                broken,
                guard(),
                lane(champion, champion, 4, 4, new ArrayList<>(), ShadowEvents.NONE));
        decide(RolloutMode.CANARY, RolloutAction.CANARY, "a", "b", false);
        assertThat(router.route(REF, "cam", null)).isEqualTo(FrameRouter.Route.CHAMPION);
    }

    @Test
    void shouldPublishHowTheModelsDiffer() throws Exception {
        SharedBatcher champion = batcher(models.scorer("a", ""), 4, 8);
        SharedBatcher challenger = batcher(models.scorer("b", "nan"), 4, 8);
        List<ShadowDifference> differences = Collections.synchronizedList(new ArrayList<>());
        FrameRouter router = FrameRouter.of(
                champion,
                challenger,
                plan::get,
                HALF,
                (r, c, p, f) -> true,
                guard(),
                lane(challenger, champion, 4, 4, differences, ShadowEvents.NONE));
        decide(RolloutMode.SHADOW, RolloutAction.SHADOW, "a", "b", false);
        Inference inference = router.submit(
                        router.route(REF, "cam", "bolt"), "cam", FrameViews.whole(new byte[] {(byte) 200}))
                .join();
        router.decided(REF, "cam", "bolt", inference, verdicts.decide(inference, "bolt"), FrameViews.whole(new byte[] {
            (byte) 200
        }));
        Awaitility.await("a difference").atMost(TIMEOUT).until(() -> !differences.isEmpty());
        ShadowDifference difference = differences.get(0);
        assertThat(difference.getResultId()).isEqualTo("frames-0-7");
        assertThat(difference.getChampion()).isEqualTo("a");
        assertThat(difference.getChallenger()).isEqualTo("b");
        assertThat(difference.getChampionVerdict()).isEqualTo(Verdict.FAIL);
        assertThat(difference.getChallengerVerdict()).isEqualTo(Verdict.REVIEW);
        assertThat(difference.getChallengerScore()).isNaN();
        assertThat(difference.getProduct()).isEqualTo("bolt");
    }

    @Test
    void shouldDropSamplesRatherThanWaitForTheChallenger() throws Exception {
        CountDownLatch stuck = new CountDownLatch(1);
        FakeScorer slow = new FakeScorer();
        slow.before = frames -> {
            try {
                stuck.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        };
        SharedBatcher champion = batcher(models.scorer("a", ""), 4, 8);
        AtomicInteger dropped = new AtomicInteger();
        FrameRouter router = FrameRouter.of(
                champion,
                batcher(slow, 4, 8),
                plan::get,
                HALF,
                (r, c, p, f) -> true,
                guard(),
                lane(batcher(slow, 4, 8), champion, 4, 8, new ArrayList<>(), new ShadowEvents() {
                    @Override
                    public void dropped() {
                        dropped.incrementAndGet();
                    }
                }));
        decide(RolloutMode.SHADOW, RolloutAction.SHADOW, "a", "fake-1", false);
        long max = 0;
        for (int i = 0; i < 200; i++) {
            Inference inference = router.submit(router.route(REF, "cam", null), "cam", FrameViews.whole(new byte[] {1}))
                    .join();
            Verdicts.Decision decision = verdicts.decide(inference, null);
            long start = System.nanoTime();
            router.decided(REF, "cam", null, inference, decision, FrameViews.whole(new byte[] {1}));
            max = Math.max(max, System.nanoTime() - start);
        }
        System.out.printf(
                "RolloutTest: with the challenger stuck the champion decided 200 frames; longest hand-over to the "
                        + "shadow %,d us, %d samples dropped%n",
                max / 1000, dropped.get());
        assertThat(dropped.get()).isGreaterThanOrEqualTo(200 - 8 - 4);
        stuck.countDown();
    }

    @Test
    void shouldKeepTheChallengerWaitingWhileTheChampionIsBehind() throws Exception {
        FakeScorer challenger = new FakeScorer();
        AtomicInteger queued = new AtomicInteger(100);
        AtomicInteger asked = new AtomicInteger();
        List<ShadowDifference> differences = Collections.synchronizedList(new ArrayList<>());
        ShadowLane lane = new ShadowLane(
                batcher(challenger, 4, 8),
                () -> {
                    asked.incrementAndGet();
                    return queued.get();
                },
                4,
                8,
                verdicts,
                differences::add,
                guard(),
                ShadowEvents.NONE);
        open.add(0, lane);
        Inference inference = inference("a", 0.1f, false, 1, 1);
        lane.offer(new ShadowLane.Sample(
                REF, "cam", null, "a", "fake-1", verdicts.decide(inference, null), FrameViews.whole(new byte[] {1})));
        // Looked at, and found to be behind, more than once.
        Awaitility.await("looks at the champion").atMost(TIMEOUT).until(() -> asked.get() >= 3);
        assertThat(challenger.batches).isEmpty();
        queued.set(0);
        Awaitility.await("a difference").atMost(TIMEOUT).until(() -> !differences.isEmpty());
        assertThat(differences).hasSize(1);
    }
}

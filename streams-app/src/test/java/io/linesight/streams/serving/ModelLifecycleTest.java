package io.linesight.streams.serving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.linesight.mmad.score.Scorer;
import io.linesight.schemas.ModelRole;
import io.linesight.schemas.ModelState;
import io.linesight.schemas.ModelStatus;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.RolloutAction;
import io.linesight.schemas.RolloutMode;
import io.linesight.streams.support.TestModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(300)
class ModelLifecycleTest {

    @TempDir
    private Path folder;

    private final TestModels models = new TestModels();
    private final List<String> asked = Collections.synchronizedList(new ArrayList<>());
    private final AtomicLong skipped = new AtomicLong();
    private volatile boolean decisionFails;
    private volatile Runnable duringAsk = () -> {};
    private ModelEvents events = ModelEvents.NONE;
    private ModelTrust trust = v -> {};
    private ModelLifecycle lifecycle;

    @AfterEach
    void stop() {
        if (lifecycle == null) return;
        lifecycle.close(Duration.ofSeconds(10));
        assertThat(models.open).as("models left open").hasValue(0);
        assertThat(models.misuse).as("scored or closed a closed model").hasValue(0);
    }

    private ModelLifecycle lifecycle(Duration stagger, Duration probation, String name, Supplier<Scorer> base) {
        ModelLoader loader = new ModelLoader(
                models, v -> trust.check(v), models::openFile, folder.resolve("models"), 4, task -> new Thread(task)
                        .start());
        lifecycle = new ModelLifecycle(
                new ModelLifecycle.Identity(name, "default", stagger, probation),
                models,
                loader,
                base,
                new ModelLifecycle.Callbacks(models.statuses::add, this::ask, events),
                this::now);
        return lifecycle;
    }

    private void ask(RolloutDecision.Action action, long basedOn, String version, String reason) throws IOException {
        asked.add(action + " " + basedOn + " " + version + " " + reason);
        duringAsk.run();
        if (decisionFails) throw new IOException("no broker");
    }

    private Moment now() {
        return new Moment(Moment.now().nanos() + skipped.get(), Instant.now());
    }

    /** Time passes, ten seconds at a time, until the condition holds. */
    private void awaitWhileTimePasses(BooleanSupplier condition) throws InterruptedException {
        await(() -> {
            if (condition.getAsBoolean()) return true;
            skipped.addAndGet(TimeUnit.SECONDS.toNanos(10));
            lifecycle.wake();
            return false;
        });
    }

    private ModelLifecycle started() {
        lifecycle(Duration.ZERO, Duration.ZERO, "line-0", () -> models.scorer("base", ""))
                .start(Duration.ofSeconds(5));
        return lifecycle;
    }

    private static void await(BooleanSupplier condition) {
        Awaitility.await()
                .atMost(Duration.ofSeconds(60))
                .pollInterval(Duration.ofMillis(5))
                .until(condition::getAsBoolean);
    }

    private static void staysTrue(BooleanSupplier condition) {
        Awaitility.await()
                .during(Duration.ofMillis(300))
                .atMost(Duration.ofSeconds(60))
                .pollInterval(Duration.ofMillis(5))
                .until(condition::getAsBoolean);
    }

    private void awaitChampion(String version) {
        await(() -> version.equals(lifecycle.plan().champion()));
    }

    private List<String> told(String version) {
        return models.statuses.stream()
                .filter(s -> s.getVersion().equals(version))
                .map(s -> s.getState() + " " + s.getRole())
                .toList();
    }

    private ModelStatus rejection(String version) {
        await(() -> models.statuses.stream()
                .anyMatch(s -> s.getVersion().equals(version) && s.getState() == ModelState.REJECTED));
        return models.statuses.stream()
                .filter(s -> s.getVersion().equals(version) && s.getState() == ModelState.REJECTED)
                .findFirst()
                .orElseThrow();
    }

    private List<Path> leftovers() throws IOException {
        try (var files = Files.walk(folder)) {
            return files.filter(Files::isRegularFile).toList();
        }
    }

    @Test
    void shouldServeTheConfiguredCheckpointUntilADecisionNamesAChampion() throws Exception {
        models.publish("v1");
        started();
        assertThat(lifecycle.plan().champion()).isEqualTo("base");
        models.promote("v1");
        awaitChampion("v1");
        await(() -> models.open.get() == 1);
        await(() -> told("base").size() == 3);
        assertThat(told("v1")).containsExactly("LOADING CHAMPION", "WARM CHAMPION", "ACTIVE CHAMPION");
        assertThat(told("base")).containsExactly("WARM CHAMPION", "ACTIVE CHAMPION", "RETIRED NONE");
        lifecycle.firstBatch("v1", 42_000);
        await(() -> told("v1").size() == 4);
        ModelStatus last = models.statuses.get(models.statuses.size() - 1);
        assertThat(last.getSwapPauseMicros()).isEqualTo(42);
        assertThat(last.getInstance()).isEqualTo("line-0");
        assertThat(last.getDevice()).isEqualTo("cpu");
        assertThat(last.getRolloutRevision()).isEqualTo(1);
        assertThat(leftovers()).isEmpty();
    }

    @Test
    void shouldComeUpOnTheChampionAndNotOpenTheCheckpointFile() {
        models.publish("v7");
        models.promote("v7");
        started();
        assertThat(lifecycle.plan().champion()).isEqualTo("v7");
        assertThat(models.opened).hasValue(1);
    }

    @Test
    void shouldNotStartOnAChampionThatCannotBeServed() throws Exception {
        models.publish("v7", "nan");
        models.promote("v7");
        ModelLifecycle l = lifecycle(Duration.ZERO, Duration.ZERO, "a", null);
        assertThatThrownBy(() -> l.start(Duration.ofSeconds(1)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("champion v7")
                .hasMessageContaining("self-test")
                .hasMessageContaining("roll back");
        assertThat(told("v7")).contains("REJECTED CHAMPION");
    }

    /** An instance that is restarted ends where those are that were running when the bad champion came. */
    @Test
    void shouldComeUpOnTheChampionBeforeWhenTheNewOneCannotBeServed() throws Exception {
        models.publish("v6");
        models.publish("v65", "nan");
        models.publish("v7", "nan");
        models.publish("v8");
        models.promote("v6");
        models.promote("v65");
        models.promote("v7");
        lifecycle(Duration.ZERO, Duration.ZERO, "a", null).start(Duration.ofSeconds(5));
        assertThat(lifecycle.plan().champion()).isEqualTo("v6");
        assertThat(lifecycle.plan().revision()).isEqualTo(3);
        assertThat(told("v65")).containsExactly("LOADING CHAMPION", "REJECTED CHAMPION");
        assertThat(told("v7")).containsExactly("LOADING CHAMPION", "REJECTED CHAMPION");
        // Not tried again under the same decision.
        staysTrue(() -> told("v7").size() == 2);
        models.promote("v8");
        awaitChampion("v8");
        assertThat(told("v7")).as("not tried again under the same decision").hasSize(2);
    }

    @Test
    void shouldComeUpOnTheCheckpointFileWhenTheFirstChampionCannotBeServed() {
        models.publish("v7", "nan");
        models.promote("v7");
        started();
        assertThat(lifecycle.plan().champion()).isEqualTo("base");
        assertThat(told("v7")).contains("REJECTED CHAMPION");
    }

    @Test
    void shouldNotStartWithNeitherChampionNorCheckpoint() {
        ModelLifecycle l = lifecycle(Duration.ZERO, Duration.ZERO, "a", null);
        assertThatThrownBy(() -> l.start(Duration.ofSeconds(1)))
                .hasMessageContaining("no checkpoint file is configured");
    }

    @Test
    void shouldNameAnErrorWithoutMessageThatPreventsTheStart() {
        ModelLifecycle l = lifecycle(Duration.ZERO, Duration.ZERO, "a", () -> {
            throw new StackOverflowError();
        });
        assertThatThrownBy(() -> l.start(Duration.ofSeconds(1))).hasMessage("java.lang.StackOverflowError");
    }

    @ParameterizedTest
    @CsvSource({
        "truncated, is truncated",
        "tampered, checksum",
        "nan, NaN",
        "throws, cannot score",
        "differs, self-test",
        "size, another input size",
        "garbage, not a complete ONNX file",
        "name, calls itself",
        "unsigned, nobody signed it",
        "absent, the chunks are gone",
        "unpublished, never published"
    })
    void shouldRejectWhatCannotBeServedAndKeepTheChampion(String kind, String reason) throws Exception {
        models.publish("good");
        models.promote("good");
        started();
        ModelVersion bad = models.publish("bad", kind);
        switch (kind) {
            case "truncated" -> models.files.put("bad", Arrays.copyOf(models.files.get("bad"), 5));
            case "tampered" -> models.files.get("bad")[4] ^= 1;
            case "absent" -> models.files.remove("bad");
            case "unpublished" -> models.versions.remove("bad");
            case "unsigned" ->
                trust = v -> {
                    if (v.getVersion().equals("bad")) throw new ModelRejectedException("nobody signed it");
                };
            default -> assertThat(bad).isNotNull();
        }
        models.promote("bad");
        ModelStatus status = kind.equals("unpublished") ? rejectionAfterTimeout() : rejection("bad");
        assertThat(status.getReason()).contains(reason);
        assertThat(lifecycle.plan().champion()).isEqualTo("good");
        await(() -> models.open.get() == 1);
        assertThat(leftovers()).isEmpty();
        try (ServingModel.Lease lease = lifecycle.championSlot().acquire()) {
            assertThat(lease.scorer().score(List.of(new byte[] {51})).raw()[0]).isEqualTo(0.2f);
        }
        models.publish("better");
        models.promote("better");
        awaitChampion("better");
    }

    private ModelStatus rejectionAfterTimeout() throws InterruptedException {
        awaitWhileTimePasses(() -> told("bad").contains("REJECTED CHAMPION"));
        return rejection("bad");
    }

    @Test
    void shouldTryAgainWhatCouldNotBeFetched() throws Exception {
        models.publish("good");
        models.promote("good");
        started();
        models.publish("late");
        byte[] bytes = models.files.remove("late");
        models.promote("late");
        assertThat(rejection("late").getReason())
                .contains("the chunks are gone")
                .contains("retried in 5 s");
        models.files.put("late", bytes);
        awaitWhileTimePasses(() -> "late".equals(lifecycle.plan().champion()));
    }

    @Test
    void shouldFollowTheNewestDecisionWhenTheyComeFasterThanLoading() throws Exception {
        for (int i = 0; i <= 20; i++) models.publish("v" + i);
        models.promote("v0");
        started();
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        models.beforeFetch = v -> {
            inside.countDown();
            try {
                go.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        };
        models.promote("v1");
        inside.await();
        for (int i = 2; i <= 20; i++) models.promote("v" + i);
        go.countDown();
        awaitChampion("v20");
        assertThat(models.opened).as("v0 and v20 only").hasValue(2);
        assertThat(told("v1")).containsExactly("LOADING CHAMPION", "RETIRED NONE");
        await(() -> models.open.get() == 1);
    }

    /** What is in front of the load of v2, a challenger, in the queue: a guard's question. */
    private void loadBehindAnAsk(Runnable whileAsking) {
        for (String version : List.of("v1", "v2", "v3")) models.publish(version);
        ModelVersion manifest = models.versions.remove("v2");
        models.promote("v1");
        started();
        long revision = models.canary("v1", "v2").getRevision();
        await(() -> lifecycle.plan().revision() == revision);
        duringAsk = whileAsking;
        synchronized (lifecycle) {
            models.versions.put("v2", manifest);
            assertThat(lifecycle.distrust(revision, "v1", "guard: NaN")).isTrue();
        }
    }

    @Test
    void shouldNotLoadWhatANewerDecisionOvertookInTheQueue() {
        loadBehindAnAsk(() -> models.promote("v3"));
        awaitChampion("v3");
        assertThat(told("v2")).isEmpty();
        assertThat(models.opened).as("v1 and v3 only").hasValue(2);
    }

    @Test
    void shouldNotReportALoadThatTheStopOvertookInTheQueue() {
        loadBehindAnAsk(() -> lifecycle.stop());
        await(() -> asked.size() == 1);
        assertThat(lifecycle.close(Duration.ofSeconds(10))).isTrue();
        assertThat(told("v2")).isEmpty();
    }

    @Test
    void shouldEndTheReportsOfALoadThatFailsWhileTheInstanceStops() {
        models.publish("v1");
        models.publish("v2");
        models.promote("v1");
        started();
        models.files.remove("v2");
        models.beforeFetch = v -> lifecycle.stop();
        models.promote("v2");
        await(() -> told("v2").size() == 2);
        assertThat(told("v2")).containsExactly("LOADING CHAMPION", "RETIRED NONE");
    }

    @Test
    void shouldPlanAModelOnlyOnceItIsInItsSlot() {
        List<String> planned = Collections.synchronizedList(new ArrayList<>());
        events = new ModelEvents() {
            @Override
            public void serving(ModelRole role, String version) {
                if (version != null)
                    planned.add(version + " after " + lifecycle.plan().champion());
            }
        };
        models.publish("v1");
        models.publish("v2");
        models.promote("v1");
        started();
        models.promote("v2");
        awaitChampion("v2");
        assertThat(planned).containsExactly("v1 after null", "v2 after v1");
    }

    @Test
    void shouldPromoteTheChallengerWithoutLoadingItAgain() throws Exception {
        models.publish("v1");
        models.publish("v2");
        models.promote("v1");
        started();
        models.shadow("v1", "v2");
        await(() -> "v2".equals(lifecycle.plan().challenger()));
        assertThat(lifecycle.plan().shadow()).isTrue();
        models.canary("v1", "v2");
        await(() -> lifecycle.plan().canary());
        models.promote("v2");
        awaitChampion("v2");
        assertThat(models.opened).hasValue(2);
        await(() -> models.open.get() == 1);
        assertThat(lifecycle.plan().challenger()).isNull();
        try (ServingModel.Lease lease = lifecycle.challengerModel().acquire()) {
            assertThat(lease.scorer().info().version())
                    .as("frames left in the challenger's batcher")
                    .isEqualTo("v2");
        }
    }

    @Test
    void shouldDoWithoutADistrustedChallengerAtOnceAndAskOnce() throws Exception {
        models.publish("v1");
        models.publish("v2");
        models.promote("v1");
        started();
        long revision = models.canary("v1", "v2").getRevision();
        await(() -> lifecycle.plan().canary());
        assertThat(lifecycle.distrust(revision, "v2", "guard: too many errors")).isTrue();
        assertThat(lifecycle.plan().challenger()).isNull();
        assertThat(lifecycle.distrust(revision, "v2", "again")).isFalse();
        assertThat(rejection("v2").getReason()).isEqualTo("guard: too many errors");
        await(() -> asked.size() == 1);
        assertThat(asked).containsExactly("WITHDRAW " + revision + " v2 guard: too many errors");
        // No flapping under the same decision.
        staysTrue(() -> lifecycle.plan().challenger() == null);
        assertThat(models.open).hasValue(1);
        models.shadow("v1", "v2");
        await(() -> "v2".equals(lifecycle.plan().challenger()));
    }

    @Test
    void shouldReturnToThePreviousChampionAtOnceDuringItsProbation() throws Exception {
        models.publish("v1");
        models.publish("v2");
        models.promote("v1");
        lifecycle(Duration.ZERO, Duration.ofMinutes(5), "a", null).start(Duration.ofSeconds(5));
        long revision = models.promote("v2").getRevision();
        awaitChampion("v2");
        await(() -> told("v1").contains("WARM NONE"));
        decisionFails = true;
        assertThat(lifecycle.distrust(revision, "v2", "guard: NaN")).isTrue();
        assertThat(lifecycle.plan().champion()).isEqualTo("v1");
        assertThat(lifecycle.championSlot().version()).contains("v1");
        await(() -> asked.size() == 1);
        decisionFails = false;
        awaitWhileTimePasses(() -> asked.size() == 2);
        assertThat(asked.get(1)).startsWith("ROLLBACK " + revision + " v2");
        models.decide(RolloutAction.ROLLBACK, RolloutMode.ACTIVE, "v1", null);
        await(() -> lifecycle.plan().revision() == revision + 1);
        assertThat(lifecycle.plan().champion()).isEqualTo("v1");
        assertThat(models.opened).as("nothing was loaded again").hasValue(2);
    }

    @Test
    void shouldReturnToTheChampionJustReplacedWhenPromotionsFollowEachOther() throws Exception {
        for (String version : List.of("v1", "v2", "v3")) models.publish(version);
        models.promote("v1");
        lifecycle(Duration.ZERO, Duration.ofMinutes(5), "a", null).start(Duration.ofSeconds(5));
        models.promote("v2");
        awaitChampion("v2");
        long revision = models.promote("v3").getRevision();
        awaitChampion("v3");
        await(() -> told("v1").contains("RETIRED NONE") && told("v2").contains("WARM NONE"));
        await(() -> models.open.get() == 2);
        assertThat(lifecycle.distrust(revision, "v3", "guard: NaN")).isTrue();
        assertThat(lifecycle.plan().champion()).isEqualTo("v2");
    }

    @Test
    void shouldLetThePreviousChampionGoAfterTheProbation() throws Exception {
        models.publish("v1");
        models.publish("v2");
        models.promote("v1");
        lifecycle(Duration.ZERO, Duration.ofMinutes(5), "a", null).start(Duration.ofSeconds(5));
        models.promote("v2");
        awaitChampion("v2");
        await(() -> told("v1").contains("WARM NONE"));
        awaitWhileTimePasses(() -> told("v1").contains("RETIRED NONE"));
        await(() -> models.open.get() == 1);
    }

    @Test
    void shouldSwapInTurnAndRollBackAtOnce() throws Exception {
        models.publish("v1");
        models.publish("v2");
        models.promote("v1");
        lifecycle(Duration.ofMillis(400), Duration.ZERO, "line-2", null).start(Duration.ofSeconds(5));
        long start = System.nanoTime();
        models.promote("v2");
        await(() -> told("v2").contains("WARM CHAMPION"));
        awaitChampion("v2");
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThan(Duration.ofMillis(700));
        start = System.nanoTime();
        models.decide(RolloutAction.ROLLBACK, RolloutMode.ACTIVE, "v1", null);
        awaitChampion("v1");
        await(() -> told("v2").contains("RETIRED NONE"));
        models.promote("v2");
        await(() -> told("v2").stream().filter("WARM CHAMPION"::equals).count() == 2);
        models.decide(RolloutAction.ROLLBACK, RolloutMode.ACTIVE, "v1", null);
        await(() -> models.open.get() == 1);
        assertThat(lifecycle.plan().champion())
                .as("a swap that was waiting its turn is called off")
                .isEqualTo("v1");
    }

    @Test
    void shouldEndInOrderWhileAModelIsLoading() throws Exception {
        models.publish("v1");
        models.publish("v2");
        models.promote("v1");
        started();
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        models.beforeFetch = v -> {
            inside.countDown();
            try {
                go.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        };
        models.promote("v2");
        inside.await();
        assertThat(lifecycle.close(Duration.ofMillis(200))).isFalse();
        go.countDown();
        await(() -> models.open.get() == 0);
        assertThat(lifecycle.close(Duration.ofSeconds(5))).isTrue();
        await(() -> {
            try {
                return leftovers().isEmpty();
            } catch (IOException e) {
                return false;
            }
        });
    }

    @Test
    void shouldCloseABusyModelAfterItsBatch() throws Exception {
        models.publish("v1");
        models.promote("v1");
        started();
        ServingModel.Lease lease = lifecycle.championSlot().acquire();
        assertThat(lifecycle.close(Duration.ofMillis(200))).isFalse();
        assertThat(models.open).hasValue(1);
        lease.close();
        await(() -> models.open.get() == 0);
        assertThat(models.statuses.get(models.statuses.size() - 1).getRole()).isEqualTo(ModelRole.NONE);
    }
}

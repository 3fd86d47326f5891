package io.linesight.streams.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.mmad.checkpoint.Checkpoints;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.mmad.score.OrtScorer;
import io.linesight.mmad.score.RandomCheckpoint;
import io.linesight.mmad.score.SelfTest;
import io.linesight.schemas.ModelState;
import io.linesight.schemas.ModelVersion;
import io.linesight.streams.batching.BatchListener;
import io.linesight.streams.batching.Inference;
import io.linesight.streams.batching.SharedBatcher;
import io.linesight.streams.support.TestModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Real sessions: swaps while frames are scored, with memory flat, and checkpoints that a session or the self-test refuses. */
@Timeout(540)
class SessionSwapIT {

    private static final int SWAPS = Integer.getInteger("linesight.swaps", 50);
    private static final int AVERAGED = 20;

    @TempDir
    private Path folder;
    private final TestModels models = new TestModels();

    private void publish(String version, Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        models.files.put(version, bytes);
        ModelVersion manifest = TestModels.manifest(version, bytes);
        models.versions.put(version, manifest);
    }

    private Path checkpoint(String version, long seed, Map<String, String> more) throws IOException {
        Map<String, String> properties = new java.util.HashMap<>(more);
        properties.put(Checkpoints.VERSION, version);
        return RandomCheckpoint.tiny(folder.resolve(version + ".onnx"), seed, properties);
    }

    private ModelLifecycle lifecycle() {
        ScorerOptions options = ScorerOptions.defaults().withDevice("cpu").withThreads(1);
        ModelLoader loader = new ModelLoader(models, v -> { }, path -> OrtScorer.open(path, options), folder.resolve("models"), 4, task -> new Thread(task).start());
        return new ModelLifecycle(new ModelLifecycle.Identity("a", "default", Duration.ZERO, Duration.ZERO), models, loader, null,
                models.statuses::add, (action, basedOn, version, reason) -> { }, ModelEvents.NONE);
    }

    private static long residentKiB() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream().filter(l -> l.startsWith("VmRSS")).mapToLong(l -> Long.parseLong(l.replaceAll("\\D", ""))).findFirst().orElse(0);
    }

    /** The loads are to have most of the processor, or this takes many minutes. */
    private static void pause() {
        try {
            Thread.sleep(100);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static double mean(List<Long> values) {
        return values.stream().mapToLong(Long::longValue).average().orElse(0) / 1024;
    }

    @Test
    void shouldKeepMemoryFlatOverManySwaps() throws Exception {
        publish("even", checkpoint("even", 1, Map.of()));
        publish("odd", checkpoint("odd", 2, Map.of()));
        models.promote("even");
        ModelLifecycle lifecycle = lifecycle();
        lifecycle.start(Duration.ofSeconds(60));
        SharedBatcher batcher = new SharedBatcher(lifecycle.championSlot(), 4, Duration.ofMillis(2), 8, BatchListener.NONE);
        AtomicBoolean on = new AtomicBoolean(true);
        AtomicLong frames = new AtomicLong();
        AtomicLong failed = new AtomicLong();
        Map<String, java.util.Set<Float>> scores = new ConcurrentHashMap<>();
        byte[] frame = SelfTest.frames().get(3);
        Thread camera = new Thread(() -> {
            while (on.get()) {
                Inference inference = batcher.submit("cam", frame).join();
                pause();
                frames.incrementAndGet();
                if (inference.failed()) failed.incrementAndGet();
                scores.computeIfAbsent(inference.model().version(), v -> ConcurrentHashMap.newKeySet()).add(inference.raw());
            }
        });
        camera.start();
        List<Long> resident = new ArrayList<>();
        List<Long> heap = new ArrayList<>();
        long start = System.nanoTime();
        for (int i = 1; i <= SWAPS; i++) {
            String version = i % 2 == 1 ? "odd" : "even";
            models.promote(version);
            while (!version.equals(lifecycle.plan().champion())) Thread.sleep(5);
            System.gc();
            resident.add(residentKiB());
            heap.add((Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory()) / 1024);
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        on.set(false);
        camera.join();
        batcher.close();
        assertThat(lifecycle.close(Duration.ofSeconds(30))).isTrue();
        double residentFirst = mean(resident.subList(0, AVERAGED));
        double residentLast = mean(resident.subList(SWAPS - AVERAGED, SWAPS));
        double heapFirst = mean(heap.subList(0, AVERAGED));
        double heapLast = mean(heap.subList(SWAPS - AVERAGED, SWAPS));
        StringBuilder course = new StringBuilder();
        for (int i = 0; i + 10 <= SWAPS; i += 10) course.append(String.format(java.util.Locale.ROOT, " %.0f", mean(resident.subList(i, i + 10))));
        System.out.println("SessionSwapIT: resident MiB, means of 10:" + course);
        System.out.printf("SessionSwapIT: %d swaps in %.1f s over %d frames; resident first %d: %.1f MiB, last %d: %.1f MiB; heap first: %.1f MiB, last: %.1f MiB%n",
                SWAPS, seconds, frames.get(), AVERAGED, residentFirst, AVERAGED, residentLast, heapFirst, heapLast);
        assertThat(failed).hasValue(0);
        assertThat(scores).containsOnlyKeys("even", "odd");
        assertThat(scores.values()).as("one score per model").allSatisfy(s -> assertThat(s.stream().mapToDouble(f -> f).max().orElse(0)
                - s.stream().mapToDouble(f -> f).min().orElse(1)).isLessThan(1e-3));
        assertThat(residentLast).isLessThan(residentFirst * 1.10 + 20);
        assertThat(heapLast).isLessThan(heapFirst * 1.10 + 5);
    }

    @Test
    void shouldRefuseCheckpointsThatASessionOrTheSelfTestRefuses() throws Exception {
        Path good = checkpoint("good", 1, Map.of());
        publish("good", good);
        models.promote("good");
        ModelLifecycle lifecycle = lifecycle();
        lifecycle.start(Duration.ofSeconds(60));
        String expected;
        try (OrtScorer scorer = OrtScorer.open(good, ScorerOptions.defaults().withDevice("cpu").withThreads(1))) {
            expected = SelfTest.expected(scorer);
        }
        byte[] bytes = Files.readAllBytes(good);
        Path broken = folder.resolve("broken");
        publish("half", Files.write(broken, Arrays.copyOf(bytes, bytes.length / 2)));
        publish("text", Files.writeString(broken, "not a model"));
        publish("renamed", good);
        publish("drifted", checkpoint("drifted", 1, Map.of(SelfTest.PROPERTY, "{\"frames\":1,\"raw\":[9,9,9,9]}")));
        publish("sound", checkpoint("sound", 1, Map.of(SelfTest.PROPERTY, expected)));
        Map<String, String> reasons = Map.of("half", "", "text", "not a complete ONNX file", "renamed", "calls itself good", "drifted", "the score its maker saw");
        for (String version : List.of("half", "text", "renamed", "drifted")) {
            models.promote(version);
            for (int i = 0; i < 4_000 && rejection(version) == null; i++) Thread.sleep(5);
            System.out.println("SessionSwapIT: " + version + " refused: " + rejection(version));
            assertThat(rejection(version)).isNotNull().contains(reasons.get(version));
            assertThat(lifecycle.championSlot().version()).contains("good");
        }
        models.promote("sound");
        for (int i = 0; i < 4_000 && !"sound".equals(lifecycle.plan().champion()); i++) Thread.sleep(5);
        assertThat(lifecycle.plan().champion()).isEqualTo("sound");
        assertThat(lifecycle.close(Duration.ofSeconds(30))).isTrue();
        try (var left = Files.walk(folder.resolve("models"))) {
            assertThat(left.filter(Files::isRegularFile)).isEmpty();
        }
    }

    private String rejection(String version) {
        return models.statuses.stream().filter(s -> s.getVersion().equals(version) && s.getState() == ModelState.REJECTED).map(s -> s.getReason()).findFirst().orElse(null);
    }
}

package io.linesight.streams;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.embedded.SharedPlatform;
import io.linesight.mmad.checkpoint.Checkpoints;
import io.linesight.mmad.image.ImageCodec;
import io.linesight.mmad.image.ImageLimits;
import io.linesight.mmad.image.Preprocess;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.mmad.score.OrtScorer;
import io.linesight.mmad.score.RandomCheckpoint;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.ModelState;
import io.linesight.schemas.ModelStatus;
import io.linesight.schemas.Rollout;
import io.linesight.schemas.serde.AvroSerde;
import java.io.Writer;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * One instance scores with real sessions, and never catches up with its cameras, while two checkpoints take turns as
 * champion. No frame waits for a swap, none is scored by another model than its result says, and memory stays flat
 * ({@code -Pfull}, 100 swaps; {@code -Dlinesight.swaps=200} for more).
 */
@Timeout(1800)
class SwapLineIT {
    private static final int SOME_SWAPS = 8;
    private static final int MANY_SWAPS = Integer.getInteger("linesight.swaps", 100);
    private static final int MIN_SWAPS_FOR_MEMORY = 100;
    private static final int AVERAGED = 20;
    private static final int CAMERAS = 4;
    private static final int WAITING = 120;
    private static final String INSTANCE = "line-0";

    @TempDir
    private Path folder;

    private String application;

    /** KiB. */
    private record Memory(long heap, long resident, long allocated) {}

    private record Swap(Instant decided, Instant done) {}

    /** Keeps frames waiting. */
    private final class Cameras {
        private final Line line;
        private final List<byte[]> images;
        private volatile long sequence;

        Cameras(Line line, List<byte[]> images) {
            this.line = line;
            this.images = images;
        }

        void refill() {
            long committed = line.committed(application);
            while (CAMERAS * sequence < committed + WAITING) {
                for (int c = 0; c < CAMERAS; c++)
                    line.send(
                            c,
                            Line.frame("cam" + c, sequence, 0)
                                    .setImage(ByteBuffer.wrap(images.get(image(sequence))))
                                    .build());
                sequence++;
            }
        }
    }

    private static int image(long sequence) {
        return (int) (sequence % 5);
    }

    private static List<byte[]> images() {
        Random random = new Random(3);
        List<byte[]> images = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            byte[] pixels = new byte[64];
            random.nextBytes(pixels);
            images.add(pixels);
        }
        return images;
    }

    private static List<Float> scores(Path checkpoint, List<byte[]> images) throws Exception {
        List<Float> scores = new ArrayList<>();
        try (OrtScorer scorer = OrtScorer.open(
                checkpoint, ScorerOptions.defaults().withDevice("cpu").withThreads(1))) {
            for (byte[] pixels : images) {
                scores.add(scorer.score(List.of(
                                Preprocess.toModelInput(ImageCodec.raw("GRAY8", 8, 8, pixels, ImageLimits.defaults()))))
                        .raw()[0]);
            }
        }
        return scores;
    }

    @Test
    void shouldSwapUnderFullLoadWithoutAPause() throws Exception {
        shouldSwap("swaps", SOME_SWAPS);
    }

    @Test
    @Tag("full")
    void shouldSwapUnderFullLoadWithoutAPauseOrALeak() throws Exception {
        assertThat(MANY_SWAPS).as("swaps that a leak shows after").isGreaterThanOrEqualTo(MIN_SWAPS_FOR_MEMORY);
        checkMemory(shouldSwap("many-swaps", MANY_SWAPS));
    }

    /** @return the memory after every swap */
    private List<Memory> shouldSwap(String name, int count) throws Exception {
        application = name;
        List<byte[]> images = images();
        Map<String, List<Float>> expected = new HashMap<>();
        try (Line line = new Line(SharedPlatform.kafka(), SharedPlatform.registry(), application, CAMERAS);
                Desk desk = new Desk(line, folder.resolve("desk"))) {
            for (String version : List.of("v1", "v2")) {
                Path file = RandomCheckpoint.tiny(
                        folder.resolve(version), version.equals("v1") ? 3 : 5, Map.of(Checkpoints.VERSION, version));
                expected.put(version, scores(file, images));
                desk.publish(version, Files.readAllBytes(file));
            }
            for (int i = 0; i < images.size(); i++)
                assertThat(Math.abs(
                                expected.get("v1").get(i) / expected.get("v2").get(i) - 1))
                        .as("told apart by image " + i)
                        .isGreaterThan(0.01f);
            Rollout first = desk.promote("v1");
            Cameras cameras = new Cameras(line, images);
            List<Swap> swaps = new ArrayList<>();
            List<Memory> memory = new ArrayList<>();
            try (ChildJvm app = new ChildJvm(
                    folder.resolve("app.log"),
                    List.of("-Xms256m", "-Xmx256m", "-XX:+AlwaysPreTouch"),
                    FleetInstance.class,
                    settings(line, desk).toString(),
                    "0")) {
                desk.awaitStatus(INSTANCE, "v1", ModelState.ACTIVE, first.getRevision(), app::said);
                app.awaitSaying(FleetInstance.RUNNING);
                Pace running = Pace.of("cameras", Duration.ofMillis(100), cameras::refill);
                line.awaitCommitted(application, CAMERAS, Desk.TIMEOUT);
                long start = System.nanoTime();
                for (int i = 1; i <= count; i++) {
                    String version = i % 2 == 1 ? "v2" : "v1";
                    Rollout next = desk.promote(version);
                    Desk.await(
                            () -> desk.status(INSTANCE, version)
                                    .filter(s ->
                                            s.getRolloutRevision() == next.getRevision() && s.getSwapPauseMicros() > 0)
                                    .isPresent(),
                            app::said);
                    swaps.add(new Swap(
                            next.getAt(),
                            desk.status(INSTANCE, version).orElseThrow().getAt()));
                    memory.add(memory(app));
                }
                System.out.printf(
                        Locale.ROOT, "SwapLineIT: %d swaps in %.1f s%n", count, (System.nanoTime() - start) / 1e9);
                running.close();
                line.flush();
                line.awaitCommitted(application, CAMERAS * cameras.sequence, Desk.TIMEOUT);
                app.tell(FleetInstance.QUIT);
                assertThat(app.awaitExit()).as(app::said).isZero();
            }
            List<InspectionResult> results = line.results();
            checkResults(results, expected, cameras.sequence);
            checkPauses(results, swaps, line);
            return memory;
        }
    }

    private Path settings(Line line, Desk desk) throws Exception {
        Properties properties = new Properties();
        properties.putAll(desk.settings(line, application, INSTANCE));
        // The champion before is not kept, so every swap loads. Few commits, because every commit waits for the frames
        // that are pending.
        properties.putAll(Map.of(
                "linesight.rollout.probation.ms",
                "0",
                "linesight.batch.max",
                "4",
                "linesight.review.high",
                "1",
                "commit.interval.ms",
                "2000",
                "linesight.startup.timeout.ms",
                "60000"));
        Path file = folder.resolve("app.properties");
        try (Writer out = Files.newBufferedWriter(file)) {
            properties.store(out, null);
        }
        return file;
    }

    private static Memory memory(ChildJvm app) throws Exception {
        long[] kib = FleetInstance.askMemory(app);
        return new Memory(kib[0], kib[1], kib[2]);
    }

    private static void checkResults(List<InspectionResult> results, Map<String, List<Float>> expected, long sent) {
        Map<String, List<Long>> sequences = new TreeMap<>();
        Map<String, Integer> counts = new TreeMap<>();
        for (InspectionResult r : results) {
            sequences.computeIfAbsent(r.getCameraId(), c -> new ArrayList<>()).add(r.getSequence());
            counts.merge(r.getModelVersion(), 1, Integer::sum);
            float score = expected.get(r.getModelVersion()).get(image(r.getSequence()));
            assertThat(r.getRawScore() / score)
                    .as("%s by %s", r.getFrameId(), r.getModelVersion())
                    .isBetween(0.999f, 1.001f);
        }
        System.out.println("SwapLineIT: frames by version " + counts);
        assertThat(counts).containsOnlyKeys("v1", "v2");
        assertThat(sequences).hasSize(CAMERAS);
        sequences.forEach((camera, numbers) -> {
            assertThat(numbers).as("one result per frame of %s", camera).hasSize((int) sent);
            for (int i = 0; i < numbers.size(); i++)
                assertThat(numbers.get(i)).as("result %s of %s", i, camera).isEqualTo(i);
        });
    }

    private static void checkPauses(List<InspectionResult> results, List<Swap> swaps, Line line) {
        List<InspectionResult> inOrder = results.stream()
                .sorted(Comparator.comparing(InspectionResult::getScoredAt))
                .toList();
        double maxBatch = results.stream()
                        .mapToLong(r -> r.getTimings().getInferenceMicros())
                        .max()
                        .orElseThrow()
                / 1e3;
        double maxGap = 0;
        double maxGapAtSwap = 0;
        for (int i = 1; i < inOrder.size(); i++) {
            InspectionResult before = inOrder.get(i - 1);
            InspectionResult after = inOrder.get(i);
            double gap =
                    Duration.between(before.getScoredAt(), after.getScoredAt()).toNanos() / 1e6;
            if (swaps.stream()
                    .anyMatch(s -> after.getScoredAt().isAfter(s.decided)
                            && before.getScoredAt().isBefore(s.done))) maxGap = Math.max(maxGap, gap);
            if (!before.getModelVersion().equals(after.getModelVersion())) maxGapAtSwap = Math.max(maxGapAtSwap, gap);
        }
        AvroSerde<ModelStatus> serde =
                AvroSerde.of(ModelStatus.class, Map.of("schema.registry.url", line.registryUrl()), false);
        List<Double> pauses = line.read(line.topics.modelStatus(), "read_committed").stream()
                .map(r -> serde.deserializer().deserialize(r.topic(), r.value()))
                .filter(s -> s.getSwapPauseMicros() > 0)
                .map(s -> s.getSwapPauseMicros() / 1e3)
                .sorted()
                .toList();
        double maxPause = pauses.get(pauses.size() - 1);
        System.out.printf(
                Locale.ROOT,
                "SwapLineIT: longest batch %.1f ms; longest gap between scored frames during swaps %.1f ms, from the "
                        + "last of a model to the first of the next %.1f ms; "
                        + "pause of the batcher at %d swaps: median %.2f ms, longest %.2f ms%n",
                maxBatch,
                maxGap,
                maxGapAtSwap,
                pauses.size(),
                pauses.get(pauses.size() / 2),
                maxPause);
        assertThat(pauses).hasSize(swaps.size());
        // Between other batches there may be nothing to score for a moment, when both stream threads wait for a commit:
        // that is not the swap's doing.
        assertThat(maxGapAtSwap).as("gap at a swap").isLessThanOrEqualTo(1.1 * maxBatch);
        assertThat(maxPause).as("pause at a swap").isLessThanOrEqualTo(0.1 * maxBatch);
    }

    private static void checkMemory(List<Memory> memory) {
        int averaged = Math.min(AVERAGED, memory.size() / 2);
        List<Memory> first = memory.subList(0, averaged);
        List<Memory> last = memory.subList(memory.size() - averaged, memory.size());
        System.out.printf(
                Locale.ROOT,
                "SwapLineIT: MiB, mean of the first %d swaps and of the last: heap %.1f and %.1f, resident %.1f and "
                        + "%.1f, allocated by native code %.1f and %.1f%n",
                averaged,
                heap(first),
                heap(last),
                resident(first),
                resident(last),
                allocated(first),
                allocated(last));
        StringBuilder course = new StringBuilder();
        for (int i = 0; i + 10 <= memory.size(); i += 10)
            course.append(String.format(
                    Locale.ROOT,
                    " %.0f/%.1f",
                    resident(memory.subList(i, i + 10)),
                    allocated(memory.subList(i, i + 10))));
        System.out.println("SwapLineIT: resident/allocated, means of ten:" + course);
        assertThat(heap(last)).as("heap").isLessThan(heap(first) * 1.10 + 5);
        assertThat(resident(last)).as("resident memory").isLessThan(resident(first) * 1.05 + 10);
        assertThat(allocated(last)).as("memory of native code").isLessThan(allocated(first) * 1.05 + 5);
    }

    private static double heap(List<Memory> memory) {
        return memory.stream().mapToLong(Memory::heap).average().orElseThrow() / 1024;
    }

    private static double resident(List<Memory> memory) {
        return memory.stream().mapToLong(Memory::resident).average().orElseThrow() / 1024;
    }

    private static double allocated(List<Memory> memory) {
        return memory.stream().mapToLong(Memory::allocated).average().orElseThrow() / 1024;
    }
}

package io.linesight.streams.alert;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.schemas.FrameQuality;
import io.linesight.schemas.InspectionResult;
import io.linesight.streams.config.AlertSettings;
import io.linesight.streams.drift.NormalScores;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What alerts cost for each result, with and without drift, and what is kept of a camera. Prints its figures. */
@Tag("full")
class AlertCostTest {
    private static final Instant BEGIN = Instant.parse("2026-03-01T06:00:00Z");

    /** The states of many cameras as the processor keeps them: bytes between any two results. */
    private static final class Cameras {
        final MapStore drift = new MapStore();
        final Map<String, byte[]> states = new HashMap<>();
        private final AlertRules rules;
        private final Random random = new Random(3);
        private long offset;

        Cameras(String... settings) {
            AlertSettings s = Play.settings(settings);
            AlertPolicy policy = AlertPolicy.of(s);
            rules = new AlertRules(s, (camera, product) -> policy, NormalScores.UNKNOWN);
        }

        void frame(String camera, Instant at) {
            InspectionResult r = Play.result(camera, "bolt", offset++, 0.1f, at)
                    .setRawScore((float) random.nextGaussian())
                    .setQuality(new FrameQuality(
                            random.nextFloat(), random.nextFloat() / 2, random.nextFloat(), 0f, 0f, offset))
                    .build();
            byte[] bytes = states.get(camera);
            CameraState state = bytes == null ? new CameraState() : StateCodec.read(bytes);
            state.camera = camera;
            rules.apply(state, drift, new AlertEvent.Frame(r), AlertRecords.micros(at));
            states.put(camera, StateCodec.write(state));
        }

        /** @return microseconds a result */
        double frames(int cameras, int each, Instant from) {
            long begin = System.nanoTime();
            for (int i = 0; i < each; i++)
                for (int c = 0; c < cameras; c++) frame("camera-" + c, from.plusMillis(500L * i));
            return (System.nanoTime() - begin) / 1e3 / each / cameras;
        }
    }

    @Test
    void shouldCostLittleMoreWithDriftThanWithout() {
        Cameras without = new Cameras("drift.window.ms", "0");
        Cameras with = new Cameras("drift.window.ms", "60000", "drift.baseline.ms", "300000");
        double best = Double.MAX_VALUE;
        double bestWithout = Double.MAX_VALUE;
        for (int round = 0; round < 8; round++) {
            Instant from = BEGIN.plus(Duration.ofSeconds(500L * round));
            bestWithout = Math.min(bestWithout, without.frames(100, 1_000, from));
            best = Math.min(best, with.frames(100, 1_000, from));
        }
        System.out.printf(
                "a result costs %.2f us without drift and %.2f us with it: %.2f times%n",
                bestWithout, best, best / bestWithout);
        assertThat(best / bestWithout).isLessThan(2);
    }

    @Test
    void shouldKeepTenThousandCamerasInLittleMemory() {
        int cameras = 10_000;
        long before = usedHeap();
        // Into the second window: the first is the first day, so nothing is missing.
        Cameras all = new Cameras("drift.window.ms", "125000", "drift.baseline.ms", "100000");
        all.frames(cameras, 500, BEGIN);
        long heap = usedHeap() - before;
        long drift = all.drift.bytes();
        long states = all.states.values().stream().mapToLong(b -> b.length).sum();
        System.out.printf(
                "%d cameras with a product each: %d bytes of distributions and %d bytes of state a camera, %d MB of "
                        + "heap%n",
                cameras, drift / cameras, states / cameras, heap >> 20);
        assertThat(drift / cameras).isLessThan(6_000);
        assertThat(heap).isLessThan(256L << 20);
        assertThat(all.states).hasSize(cameras);
    }

    private static long usedHeap() {
        for (int i = 0; i < 3; i++) System.gc();
        Runtime r = Runtime.getRuntime();
        return r.totalMemory() - r.freeMemory();
    }
}

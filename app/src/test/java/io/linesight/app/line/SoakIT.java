package io.linesight.app.line;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.app.audit.AuditReport;
import io.linesight.streams.FleetInstance;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Nothing breaks, for long: three instances at a steady rate, with a model swapped now and then. Memory and latency may
 * not have a trend.
 *
 * <p>Ten minutes by default, the least that a trend can be seen in; {@code -Dlinesight.soak.minutes=120} for one that
 * says more.
 */
@Tag("full")
@Timeout(86_400)
class SoakIT {
    private static final double MINUTES = Double.parseDouble(System.getProperty("linesight.soak.minutes", "10"));
    private static final int PER_SECOND = Integer.getInteger("linesight.soak.rate", 120);
    private static final int SWAP_SECONDS = 30;
    /** The first part of the run is left out of the trend: caches fill, code is compiled. */
    private static final double WARMUP = 0.25;

    private static final double MIN_MINUTES = 10;

    /** Of all instances together, MiB. */
    private record Sample(Instant at, double heap, double resident, double allocated) {}

    @Test
    void shouldKeepMemoryAndLatencyFlat(@TempDir Path folder) throws Exception {
        assertThat(MINUTES).as("minutes that limits can be held against").isGreaterThanOrEqualTo(MIN_MINUTES);
        try (BreakableLine line = new BreakableLine(folder)) {
            line.superviseInstances();
            line.awaitRunning();
            BreakableLine.Cameras cameras = line.cameras(Long.MAX_VALUE, PER_SECOND);
            cameras.start();
            List<Sample> samples = new ArrayList<>();
            Instant start = Instant.now();
            Instant end = start.plusMillis((long) (MINUTES * 60_000));
            Instant swap = start.plusSeconds(SWAP_SECONDS);
            // A hundred samples, but every one costs a collection of garbage in each instance.
            long pause = Math.max(2_000, (long) (MINUTES * 600));
            while (Instant.now().isBefore(end)) {
                cameras.join(pause);
                assertThat(cameras.isAlive()).as("cameras send").isTrue();
                samples.add(sample(line));
                if (Instant.now().isAfter(swap)) {
                    line.awaitServed(line.promoteNext());
                    swap = Instant.now().plusSeconds(SWAP_SECONDS);
                }
            }
            cameras.on = false;
            cameras.join();
            line.awaitAllCommitted(cameras.good() + cameras.bad());
            assertThat(line.deaths).as("instances that ended of themselves").isEmpty();
            report(line, cameras, samples, start, end);
        }
    }

    private static Sample sample(BreakableLine line) throws Exception {
        double[] sum = new double[3];
        for (String name : BreakableLine.NAMES) {
            long[] memory = FleetInstance.askMemory(line.instance(name));
            for (int i = 0; i < sum.length; i++) sum[i] += memory[i] / 1024.0;
        }
        return new Sample(Instant.now(), sum[0], sum[1], sum[2]);
    }

    private static void report(
            BreakableLine line, BreakableLine.Cameras cameras, List<Sample> samples, Instant start, Instant end)
            throws Exception {
        Map<Integer, List<Long>> latencies = new TreeMap<>();
        double length = Duration.between(start, end).toMillis();
        AuditReport report = line.audit(r -> latencies
                .computeIfAbsent(
                        (int) Math.min(
                                9, Duration.between(start, r.getScoredAt()).toMillis() * 10 / length),
                        k -> new ArrayList<>())
                .add(Duration.between(r.getCapturedAt(), r.getScoredAt()).toMillis()));
        System.out.print(report.table());
        System.out.println(
                "SoakIT: tenth of the run, frames, p50 and p99 from exposure to score (ms), heap, resident and "
                        + "allocated by native code, of all instances (MiB)");
        double[] p99 = new double[10];
        for (int tenth = 0; tenth < 10; tenth++) {
            long[] sorted = latencies.getOrDefault(tenth, List.of(0L)).stream()
                    .mapToLong(l -> l)
                    .sorted()
                    .toArray();
            p99[tenth] = sorted[(int) (sorted.length * 0.99)];
            Instant from = start.plusMillis((long) (length * tenth / 10));
            Instant until = start.plusMillis((long) (length * (tenth + 1) / 10));
            List<Sample> then = samples.stream()
                    .filter(s -> !s.at.isBefore(from) && s.at.isBefore(until))
                    .toList();
            System.out.printf(
                    Locale.ROOT,
                    "SoakIT: %2d %7d %6d %6.0f   %7.1f %7.1f %7.1f%n",
                    tenth + 1,
                    sorted.length,
                    sorted[sorted.length / 2],
                    p99[tenth],
                    then.stream().mapToDouble(Sample::heap).average().orElse(Double.NaN),
                    then.stream().mapToDouble(Sample::resident).average().orElse(Double.NaN),
                    then.stream().mapToDouble(Sample::allocated).average().orElse(Double.NaN));
        }
        List<Sample> warm = samples.subList((int) (samples.size() * WARMUP), samples.size());
        double[] hours = warm.stream()
                .mapToDouble(s -> Duration.between(start, s.at).toMillis() / 3.6e6)
                .toArray();
        double heap = slope(hours, warm.stream().mapToDouble(Sample::heap).toArray());
        double resident =
                slope(hours, warm.stream().mapToDouble(Sample::resident).toArray());
        double allocated =
                slope(hours, warm.stream().mapToDouble(Sample::allocated).toArray());
        System.out.printf(
                Locale.ROOT,
                "SoakIT: %.1f min, %d frames, trend after the first quarter in MiB an hour: heap %+.1f, resident "
                        + "%+.1f, allocated by native code %+.1f%n",
                MINUTES,
                cameras.good(),
                heap,
                resident,
                allocated);
        assertThat(report.clean()).as(report::table).isTrue();
        assertThat(report.total().scored()).isEqualTo(cameras.good());
        Sample last = warm.get(warm.size() - 1);
        double observed = hours[hours.length - 1] - hours[0];
        // What the trend adds up to over the part looked at, as a share of what there is.
        assertThat(heap * observed / last.heap).as("growth of the heap").isLessThan(0.10);
        assertThat(resident * observed / last.resident)
                .as("growth of resident memory")
                .isLessThan(0.10);
        assertThat(allocated * observed / Math.max(1, last.allocated))
                .as("growth of native memory")
                .isLessThan(0.10);
        assertThat(Arrays.stream(p99, 7, 10).average().orElse(0))
                .as("p99 of the last three tenths, beside those before")
                .isLessThan(2 * Arrays.stream(p99, 3, 7).average().orElse(0) + 200);
    }

    /** Least squares. */
    private static double slope(double[] x, double[] y) {
        double mx = Arrays.stream(x).average().orElse(0);
        double my = Arrays.stream(y).average().orElse(0);
        double top = 0;
        double bottom = 0;
        for (int i = 0; i < x.length; i++) {
            top += (x[i] - mx) * (y[i] - my);
            bottom += (x[i] - mx) * (x[i] - mx);
        }
        return bottom == 0 ? 0 : top / bottom;
    }
}

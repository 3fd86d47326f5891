package io.linesight.demo;

import io.linesight.demo.line.Micros;
import io.linesight.demo.line.Percentiles;
import io.linesight.mmad.checkpoint.VerdictRule;
import io.linesight.schemas.InspectionResult;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The latest results of every camera, for the live table. Thread-safe. */
final class LiveStats {
    private static final int WINDOW = 200;
    private static final long RATE_MICROS = 5_000_000;

    /**
     * One line of the table.
     *
     * @param p95Millis over the last {@value #WINDOW} results
     */
    record Row(
            String camera,
            String product,
            long results,
            double framesPerSecond,
            double score,
            String verdict,
            double p95Millis,
            long fails) {}

    private static final class Recent {
        String product = "";
        long results;
        long fails;
        double score = Double.NaN;
        String verdict = "";
        final Deque<Long> arrivals = new ArrayDeque<>();
        final Deque<Long> latencies = new ArrayDeque<>();
    }

    private final Map<String, Recent> cameras = new TreeMap<>();

    synchronized void result(InspectionResult r, long arrivedMicros) {
        Recent c = cameras.computeIfAbsent(r.getCameraId(), k -> new Recent());
        c.product = r.getProduct() == null ? "-" : r.getProduct();
        c.results++;
        c.score = r.getScore();
        c.verdict = r.getVerdict().name();
        if (r.getScore() >= VerdictRule.DECISION_POINT) c.fails++;
        c.arrivals.add(arrivedMicros);
        c.latencies.add(arrivedMicros - Micros.of(r.getCapturedAt()));
        if (c.latencies.size() > WINDOW) c.latencies.poll();
    }

    synchronized List<Row> rows(long nowMicros) {
        List<Row> out = new ArrayList<>();
        cameras.forEach((id, c) -> {
            while (!c.arrivals.isEmpty() && nowMicros - c.arrivals.peek() > RATE_MICROS) c.arrivals.poll();
            double p95 = Percentiles.of(
                            c.latencies.stream().mapToDouble(l -> l / 1000.0).toArray())
                    .p95();
            out.add(new Row(
                    id,
                    c.product,
                    c.results,
                    c.arrivals.size() / (RATE_MICROS / 1e6),
                    c.score,
                    c.verdict,
                    p95,
                    c.fails));
        });
        return out;
    }
}

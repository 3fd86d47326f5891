package io.linesight.demo.line;

import io.linesight.schemas.InspectionResult;
import java.util.List;

/**
 * How fast the answers came; NaN where there were none.
 *
 * @param framesPerSecond results over the time from the first exposure to the last result
 * @param meanBatch frames per inference
 * @param latencyMillis from exposure until the committed result was read
 * @param scoredMillis from exposure until the score was known
 */
public record Timing(double framesPerSecond, double meanBatch, Percentiles latencyMillis, Percentiles scoredMillis) {
    static Timing of(List<Ledger.Outcome> outcomes) {
        int n = outcomes.size();
        double[] latency = new double[n];
        double[] scored = new double[n];
        double batches = 0;
        long first = Long.MAX_VALUE;
        long last = Long.MIN_VALUE;
        for (int i = 0; i < n; i++) {
            Ledger.Outcome o = outcomes.get(i);
            InspectionResult result = o.result();
            long captured = Micros.of(result.getCapturedAt());
            latency[i] = o.latencyMicros() / 1000.0;
            scored[i] = (Micros.of(result.getScoredAt()) - captured) / 1000.0;
            batches += 1.0 / Math.max(1, result.getTimings().getBatchSize());
            first = Math.min(first, captured);
            last = Math.max(last, captured + o.latencyMicros());
        }
        double seconds = (last - first) / 1e6;
        return new Timing(
                n == 0 || seconds <= 0 ? Double.NaN : n / seconds,
                n == 0 ? Double.NaN : n / batches,
                Percentiles.of(latency),
                Percentiles.of(scored));
    }
}

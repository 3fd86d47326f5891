package io.linesight.demo.line;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.linesight.mmad.accuracy.RankingMetrics;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * What one run came to. While nothing is doubled, {@code frames = results + deadLettered + lost}.
 *
 * @param frames frames that Kafka acknowledged, bad ones included
 * @param results results read from the topic
 * @param lost frames without a result or a dead letter
 * @param doubled results, dead letters or anomaly events beyond the first of a frame
 * @param deadLettered dead letters read
 * @param deadLetterCodes dead letters by reason
 * @param anomalies anomaly events read
 * @param imageAuroc mean over the products of {@code aurocByProduct}; NaN when there is none
 * @param aurocByProduct of the raw scores against the truth, for products with good and bad frames
 * @param framesPerSecond results over the time from the first exposure to the last result
 * @param latencyMillis percentiles 50, 95, 99 from exposure until the committed result was read
 * @param scoredMillis percentiles 50, 95, 99 from exposure until the score was there
 * @param meanBatch frames per inference
 * @param wrongVerdicts frames on the wrong side of the decision point: good ones called anomalous, bad ones passed
 */
public record RunSummary(
        long frames,
        long results,
        long lost,
        long doubled,
        long deadLettered,
        Map<String, Integer> deadLetterCodes,
        long anomalies,
        double imageAuroc,
        Map<String, Double> aurocByProduct,
        double framesPerSecond,
        double[] latencyMillis,
        double[] scoredMillis,
        double meanBatch,
        WrongVerdicts wrongVerdicts) {
    private static final ObjectMapper MAPPER = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    /** Frames with known truth, by what was said about them. */
    public record WrongVerdicts(long good, long falseAlarms, long bad, long missed) {
        /** Counts the outcomes whose truth is known. */
        public static WrongVerdicts of(List<Ledger.Outcome> outcomes) {
            long good = 0;
            long falseAlarms = 0;
            long bad = 0;
            long missed = 0;
            for (Ledger.Outcome o : outcomes) {
                if (o.sent().anomalous() == null) continue;
                boolean called = o.result().getScore() >= 0.5f;
                if (o.sent().anomalous()) {
                    bad++;
                    if (!called) missed++;
                } else {
                    good++;
                    if (called) falseAlarms++;
                }
            }
            return new WrongVerdicts(good, falseAlarms, bad, missed);
        }
    }

    /** Sums the books up as they stand. */
    public static RunSummary of(Ledger ledger) {
        List<Ledger.Outcome> outcomes = ledger.outcomes();
        Map<String, List<Ledger.Outcome>> byProduct = new TreeMap<>();
        double batches = 0;
        long first = Long.MAX_VALUE;
        long last = Long.MIN_VALUE;
        double[] latency = new double[outcomes.size()];
        double[] scored = new double[outcomes.size()];
        for (int i = 0; i < latency.length; i++) {
            Ledger.Outcome o = outcomes.get(i);
            long captured = o.result().getCapturedAt().getEpochSecond() * 1_000_000L
                    + o.result().getCapturedAt().getNano() / 1000;
            long scoredAt = o.result().getScoredAt().getEpochSecond() * 1_000_000L
                    + o.result().getScoredAt().getNano() / 1000;
            latency[i] = o.latencyMicros() / 1000.0;
            scored[i] = (scoredAt - captured) / 1000.0;
            first = Math.min(first, captured);
            last = Math.max(last, captured + o.latencyMicros());
            batches += 1.0 / Math.max(1, o.result().getTimings().getBatchSize());
            if (o.sent().anomalous() == null) continue;
            byProduct
                    .computeIfAbsent(o.sent().product() == null ? "" : o.sent().product(), p -> new ArrayList<>())
                    .add(o);
        }
        Map<String, Double> auroc = new TreeMap<>();
        byProduct.forEach((product, list) -> {
            long positives = list.stream().filter(o -> o.sent().anomalous()).count();
            if (positives > 0 && positives < list.size()) auroc.put(product, auroc(list));
        });
        double mean = auroc.values().stream().mapToDouble(d -> d).average().orElse(Double.NaN);
        double seconds = (last - first) / 1e6;
        return new RunSummary(
                ledger.frames(),
                ledger.results(),
                ledger.open(),
                ledger.doubled(),
                ledger.deadLetters(),
                ledger.deadLetterCodes(),
                ledger.anomalies(),
                mean,
                auroc,
                outcomes.isEmpty() || seconds <= 0 ? Double.NaN : outcomes.size() / seconds,
                percentiles(latency),
                percentiles(scored),
                outcomes.isEmpty() ? Double.NaN : outcomes.size() / batches,
                WrongVerdicts.of(outcomes));
    }

    private static double auroc(List<Ledger.Outcome> outcomes) {
        float[] scores = new float[outcomes.size()];
        byte[] labels = new byte[scores.length];
        for (int i = 0; i < scores.length; i++) {
            scores[i] = outcomes.get(i).result().getRawScore();
            labels[i] = (byte) (outcomes.get(i).sent().anomalous() ? 1 : 0);
        }
        return RankingMetrics.auroc(scores, labels);
    }

    private static double[] percentiles(double[] values) {
        Percentiles p = new Percentiles(values);
        return new double[] {p.at(50), p.at(95), p.at(99)};
    }

    /** Nothing lost, nothing doubled. */
    public boolean exact() {
        return lost == 0 && doubled == 0;
    }

    /** As JSON; figures that could not be computed are null. */
    public ObjectNode toJson() {
        ObjectNode node = MAPPER.createObjectNode();
        node.put("frames", frames)
                .put("results", results)
                .put("lost", lost)
                .put("doubled", doubled)
                .put("deadLettered", deadLettered)
                .put("anomalies", anomalies);
        number(node, "imageAuroc", imageAuroc);
        number(node, "framesPerSecond", framesPerSecond);
        percentiles(node.putObject("latencyMs"), latencyMillis);
        number(node, "meanBatch", meanBatch);
        percentiles(node.putObject("scoredMs"), scoredMillis);
        ObjectNode products = node.putObject("imageAurocByProduct");
        aurocByProduct.forEach((k, v) -> number(products, k, v));
        ObjectNode codes = node.putObject("deadLetterCodes");
        deadLetterCodes.forEach(codes::put);
        node.putObject("verdicts")
                .put("good", wrongVerdicts.good)
                .put("falseAlarms", wrongVerdicts.falseAlarms)
                .put("defective", wrongVerdicts.bad)
                .put("missed", wrongVerdicts.missed);
        return node;
    }

    /** {@link #toJson} as text. */
    public static String pretty(ObjectNode node) {
        try {
            return MAPPER.writeValueAsString(node);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void percentiles(ObjectNode node, double[] p) {
        number(node, "p50", p[0]);
        number(node, "p95", p[1]);
        number(node, "p99", p[2]);
    }

    private static void number(ObjectNode node, String key, double value) {
        if (Double.isFinite(value)) node.put(key, Math.round(value * 1e6) / 1e6);
        else node.putNull(key);
    }

    /** For people. */
    public String text() {
        StringBuilder b = new StringBuilder();
        row(
                b,
                "frames",
                frames + " sent, " + results + " results, " + deadLettered + " dead letters "
                        + (deadLetterCodes.isEmpty() ? "" : deadLetterCodes));
        row(b, "exactly once", exact() ? "yes: 0 lost, 0 doubled" : "NO: " + lost + " lost, " + doubled + " doubled");
        row(
                b,
                "throughput",
                String.format(Locale.ROOT, "%.1f frames/s, %.1f frames per inference", framesPerSecond, meanBatch));
        row(
                b,
                "latency",
                String.format(
                        Locale.ROOT,
                        "p50 %.0f, p95 %.0f, p99 %.0f ms from exposure to committed result (scored after %.0f, %.0f, %.0f)",
                        latencyMillis[0],
                        latencyMillis[1],
                        latencyMillis[2],
                        scoredMillis[0],
                        scoredMillis[1],
                        scoredMillis[2]));
        row(b, "anomalies", anomalies + " events");
        if (!aurocByProduct.isEmpty()) {
            StringBuilder each = new StringBuilder(String.format(Locale.ROOT, "%.4f mean", imageAuroc));
            aurocByProduct.forEach((p, v) ->
                    each.append(String.format(Locale.ROOT, ", %s %.4f", p.isEmpty() ? "(no product)" : p, v)));
            row(b, "image AUROC", each.toString());
        }
        WrongVerdicts w = wrongVerdicts;
        if (w.good + w.bad > 0) {
            row(
                    b,
                    "decisions",
                    w.missed + " of " + w.bad + " defective parts missed, " + w.falseAlarms + " of " + w.good
                            + " good parts called anomalous");
        }
        return b.toString();
    }

    private static void row(StringBuilder b, String name, String value) {
        b.append(String.format("  %-13s %s%n", name, value.stripTrailing()));
    }
}

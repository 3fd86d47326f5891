package io.linesight.demo.line;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.linesight.mmad.checkpoint.VerdictRule;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The outcome of one run. While nothing is doubled, {@code frames = results + deadLettered + lost}.
 *
 * @param frames frames that Kafka acknowledged, bad ones included
 * @param results results read from the topic
 * @param lost frames without a result or a dead letter
 * @param doubled results, dead letters or anomaly events beyond the first of a frame
 * @param deadLettered dead letters read
 * @param deadLetterCodes dead letters by reason
 * @param anomalies anomaly events read
 * @param fallback results to which no threshold of their product applied, but the checkpoint's fallback
 * @param timing of the frames after the warm-up
 */
public record RunSummary(
        long frames,
        long results,
        long lost,
        long doubled,
        long deadLettered,
        Map<String, Integer> deadLetterCodes,
        long anomalies,
        long fallback,
        Timing timing,
        Accuracy accuracy) {
    private static final ObjectMapper MAPPER = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    /** One line of the summary for people. */
    public record Row(String name, String value) {
        /** The line, indented and with the name in a column of its own. */
        public String text() {
            return String.format("  %-13s %s%n", name, value.stripTrailing());
        }
    }

    /** Sums up the ledger as it stands. */
    public static RunSummary of(Ledger ledger) {
        List<Ledger.Outcome> outcomes = ledger.outcomes();
        return new RunSummary(
                ledger.frames(),
                ledger.results(),
                ledger.open(),
                ledger.doubled(),
                ledger.deadLetters(),
                ledger.deadLetterCodes(),
                ledger.anomalies(),
                outcomes.stream()
                        .filter(o -> VerdictRule.FALLBACK.equals(o.result().getCalibration()))
                        .count(),
                Timing.of(ledger.timedOutcomes()),
                Accuracy.of(outcomes));
    }

    /** Whether nothing is lost and nothing doubled. */
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
                .put("anomalies", anomalies)
                .put("fallback", fallback);
        putNumber(node, "imageAuroc", accuracy.imageAuroc());
        putNumber(node, "framesPerSecond", timing.framesPerSecond());
        putPercentiles(node.putObject("latencyMs"), timing.latencyMillis());
        putNumber(node, "meanBatch", timing.meanBatch());
        putPercentiles(node.putObject("scoredMs"), timing.scoredMillis());
        ObjectNode products = node.putObject("imageAurocByProduct");
        accuracy.aurocByProduct().forEach((product, auroc) -> putNumber(products, product, auroc));
        ObjectNode codes = node.putObject("deadLetterCodes");
        deadLetterCodes.forEach(codes::put);
        Verdicts verdicts = accuracy.verdicts();
        node.putObject("verdicts")
                .put("good", verdicts.good())
                .put("falseAlarms", verdicts.falseAlarms())
                .put("defective", verdicts.defective())
                .put("missed", verdicts.missed());
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

    private static void putPercentiles(ObjectNode node, Percentiles p) {
        putNumber(node, "p50", p.p50());
        putNumber(node, "p95", p.p95());
        putNumber(node, "p99", p.p99());
    }

    private static void putNumber(ObjectNode node, String key, double value) {
        if (Double.isFinite(value)) node.put(key, Math.round(value * 1e6) / 1e6);
        else node.putNull(key);
    }

    /** For people: a line for each row. */
    public String text() {
        StringBuilder text = new StringBuilder();
        rows().forEach(row -> text.append(row.text()));
        return text.toString();
    }

    /** For people. */
    public List<Row> rows() {
        List<Row> rows = new ArrayList<>();
        rows.add(new Row(
                "frames",
                frames + " sent, " + results + " results, " + deadLettered + " dead letters "
                        + (deadLetterCodes.isEmpty() ? "" : deadLetterCodes)));
        rows.add(new Row(
                "exactly once", exact() ? "yes: 0 lost, 0 doubled" : "NO: " + lost + " lost, " + doubled + " doubled"));
        rows.add(new Row(
                "throughput",
                format("%.1f frames/s, %.1f frames per inference", timing.framesPerSecond(), timing.meanBatch())));
        Percentiles latency = timing.latencyMillis();
        Percentiles scored = timing.scoredMillis();
        rows.add(new Row(
                "latency",
                format(
                        "p50 %.0f, p95 %.0f, p99 %.0f ms from exposure to committed result (scored after %.0f, "
                                + "%.0f, %.0f)",
                        latency.p50(), latency.p95(), latency.p99(), scored.p50(), scored.p95(), scored.p99())));
        rows.add(new Row("anomalies", anomalies + " events"));
        if (fallback > 0)
            rows.add(new Row(
                    "thresholds",
                    fallback + " results by the checkpoint's fallback threshold: it has none of their product"));
        if (!accuracy.aurocByProduct().isEmpty()) rows.add(new Row("image AUROC", aurocText()));
        Verdicts v = accuracy.verdicts();
        if (v.good() + v.defective() > 0) {
            rows.add(new Row(
                    "decisions",
                    v.missed() + " of " + v.defective() + " defective parts missed, " + v.falseAlarms() + " of "
                            + v.good() + " good parts called anomalous"));
        }
        return rows;
    }

    private String aurocText() {
        StringBuilder text = new StringBuilder(format("%.4f mean", accuracy.imageAuroc()));
        accuracy.aurocByProduct()
                .forEach((product, auroc) ->
                        text.append(format(", %s %.4f", product.isEmpty() ? "(no product)" : product, auroc)));
        return text.toString();
    }

    private static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }
}

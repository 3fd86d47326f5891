package io.linesight.trainer.evaluate;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.linesight.mmad.accuracy.CategoryMetrics;
import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.mmad.checkpoint.VerdictRule;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What was measured.
 *
 * @param modelVersion version of the checkpoint
 * @param modelSha256 of its file, lower-case hex
 * @param dataset name of the images' source
 * @param categories metrics per category, sorted by name
 * @param details what lies behind them, for the same categories
 * @param mean unweighted mean over the categories
 * @param images every image's score
 * @param skipped unreadable images left out
 * @param unscored images, with their category before them, for which the model gave no number; they are in no figure
 * @param calibratedOn images measured that also placed the checkpoint's thresholds: what it decides on them flatters it
 * @param secondsPerImage wall-clock seconds per image, reading included
 */
public record EvaluationReport(
        String modelVersion,
        String modelSha256,
        String dataset,
        Map<String, CategoryMetrics> categories,
        Map<String, CategoryDetail> details,
        CategoryMetrics mean,
        List<ImageScore> images,
        int skipped,
        List<String> unscored,
        int calibratedOn,
        double secondsPerImage) {
    private static final String[] NAMES = {
        "imageAuroc", "imageAp", "imageF1max", "pixelAuroc", "pixelAp", "pixelF1max", "aupro", "mad"
    };
    /** Columns of the table, in the order of {@link #values}. */
    public static final List<String> HEADS =
            List.of("I-AUROC", "I-AP", "I-F1max", "P-AUROC", "P-AP", "P-F1max", "AUPRO", "mAD");

    /**
     * One test image.
     *
     * @param category its category
     * @param name its name within the category
     * @param anomalous what the data set calls it
     * @param vanished its ground truth marks nothing at the model's resolution: it counts as normal
     * @param raw image score
     * @param calibrated 0..1, 0.5 = the category's threshold
     */
    public record ImageScore(
            String category, String name, boolean anomalous, boolean vanished, float raw, double calibrated) {
        /** The label as the metrics count it. */
        public boolean defective() {
            return anomalous && !vanished;
        }

        /** Whether the checkpoint calls it anomalous. */
        public boolean rejected() {
            return calibrated >= VerdictRule.DECISION_POINT;
        }

        /** A false alarm or a miss. */
        public boolean mistaken() {
            return rejected() != defective();
        }
    }

    /**
     * Machine-readable: {@code mean}; {@code categories} with {@code category}, {@code imageAuroc} to {@code mad},
     * {@code normal}, {@code anomalous}, {@code falseRejects} and {@code missed}; {@code totals} with the last four.
     * Fractions 0..1, null where a metric is undefined (no masks). {@code falseRejects} of the normal images and
     * {@code missed} of the anomalous ones are counted at the checkpoint's own thresholds.
     */
    public String toJson() {
        Map<String, Object> root = new LinkedHashMap<>();
        root.put("mean", fields(mean));
        List<Map<String, Object>> list = new ArrayList<>();
        categories.forEach((name, m) -> {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("category", name);
            one.putAll(fields(m));
            one.putAll(mistakes(decisions(name)));
            one.putAll(verdicts(name));
            list.add(one);
        });
        root.put("categories", list);
        Map<String, Object> totals = new LinkedHashMap<>();
        totals.put("normal", mean.normal());
        totals.put("anomalous", mean.anomalous());
        totals.putAll(mistakes(decisions()));
        root.put("totals", totals);
        root.put("modelVersion", modelVersion);
        root.put("dataset", dataset);
        root.put("skipped", skipped);
        root.put("unscored", unscored);
        root.put("calibratedOn", calibratedOn);
        root.put("onFallback", onFallback());
        root.put("secondsPerImage", secondsPerImage);
        try {
            return new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(root);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Images that the checkpoint's fallback threshold judged, because it is not calibrated on their category. */
    public long onFallback() {
        return images.stream().filter(s -> !details.get(s.category()).ownLine()).count();
    }

    /** How all images fared, each at its category's threshold. */
    public Decisions decisions() {
        return Decisions.of(images);
    }

    /** How a category's images fared at its threshold. */
    public Decisions decisions(String category) {
        return Decisions.of(
                images.stream().filter(s -> s.category().equals(category)).toList());
    }

    private static Map<String, Object> mistakes(Decisions d) {
        Map<String, Object> f = new LinkedHashMap<>();
        f.put("falseRejects", d.falseAlarms());
        f.put("missed", d.misses());
        return f;
    }

    /** What applied to a category and how often it said what, as {@code score} and {@code serve} say it. */
    private Map<String, Object> verdicts(String category) {
        CategoryDetail detail = details.get(category);
        Map<String, Object> f = new LinkedHashMap<>();
        if (detail == null) return f;
        ProductCalibration c = detail.calibration();
        f.put("threshold", c.threshold());
        f.put("calibration", detail.ownLine() ? category : VerdictRule.FALLBACK);
        f.put("reviewLow", VerdictRule.DEFAULT.low(c));
        f.put("reviewHigh", VerdictRule.DEFAULT.high(c));
        Map<String, Integer> verdicts = new LinkedHashMap<>();
        for (VerdictRule.Verdict v : VerdictRule.Verdict.values()) verdicts.put(v.name(), 0);
        for (ImageScore s : images)
            if (s.category().equals(category))
                verdicts.merge(VerdictRule.DEFAULT.verdict(s.calibrated(), c).name(), 1, Integer::sum);
        f.put("verdicts", verdicts);
        return f;
    }

    private static Map<String, Object> fields(CategoryMetrics m) {
        Map<String, Object> f = new LinkedHashMap<>();
        Double[] v = values(m);
        for (int i = 0; i < NAMES.length; i++) f.put(NAMES[i], v[i]);
        f.put("normal", m.normal());
        f.put("anomalous", m.anomalous());
        return f;
    }

    /** The figures in the order of the table, fractions 0..1, null where undefined. */
    public static @Nullable Double[] values(CategoryMetrics m) {
        return new Double[] {
            m.imageAuroc(), m.imageAp(), m.imageF1max(), m.pixelAuroc(), m.pixelAp(), m.pixelF1max(), m.aupro(), m.mad()
        };
    }

    /** The table in the paper's form, in percent: image AUROC/AP/F1max, pixel AUROC/AP/F1max/AUPRO, mAD. */
    public String table() {
        int width = Math.max(
                8, categories.keySet().stream().mapToInt(String::length).max().orElse(8));
        StringBuilder t = new StringBuilder(String.format(Locale.ROOT, "%-" + width + "s", "category"));
        for (String h : HEADS) t.append(String.format(Locale.ROOT, " %8s", h));
        t.append("   normal anomalous\n");
        categories.forEach((name, m) -> row(t, name, m, width));
        row(t, "mean", mean, width);
        return t.toString();
    }

    private static void row(StringBuilder t, String name, CategoryMetrics m, int width) {
        t.append(String.format(Locale.ROOT, "%-" + width + "s", name));
        for (@Nullable Double v : values(m))
            t.append(v == null ? "        -" : String.format(Locale.ROOT, " %8.1f", 100 * v));
        t.append(String.format(Locale.ROOT, " %8d %9d%n", m.normal(), m.anomalous()));
    }
}

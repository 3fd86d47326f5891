package io.linesight.trainer.report;

import io.linesight.mmad.accuracy.CategoryMetrics;
import io.linesight.trainer.evaluate.CategoryDetail;
import io.linesight.trainer.evaluate.EvaluationReport;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The figures of all categories and their mean.
 *
 * @param reasons why figures are missing, and what else bears on them
 */
record FigureTable(List<Row> rows, List<Reason> reasons) {
    /**
     * One category.
     *
     * @param category null = the mean
     * @param second the other checkpoint's; null in a report of one
     */
    record Row(@Nullable String category, CategoryMetrics first, @Nullable CategoryMetrics second) {
        List<String> firstValues() {
            return texts(first);
        }

        List<String> secondValues() {
            return texts(second);
        }

        private static List<String> texts(CategoryMetrics m) {
            return Arrays.stream(EvaluationReport.values(m)).map(Html::percent).toList();
        }

        List<Difference> differences() {
            Double[] a = EvaluationReport.values(first);
            Double[] b = EvaluationReport.values(second);
            List<Difference> differences = new ArrayList<>();
            for (int i = 0; i < a.length; i++) differences.add(Difference.of(a[i], b[i]));
            return differences;
        }
    }

    /** In percentage points. @param style null where there is none, or none that counts */
    record Difference(String text, @Nullable String style) {
        static Difference of(@Nullable Double a, @Nullable Double b) {
            if (a == null || b == null) return new Difference(Html.DASH, null);
            double d = 100 * (b - a);
            String text = String.format(Locale.ROOT, "%+.1f", d);
            if (text.equals("+0.0") || text.equals("-0.0")) return new Difference("0.0", null);
            return new Difference(text.replace('-', '−'), d > 0 ? "up" : "down");
        }
    }

    /** @param example an image's name; null = none */
    record Reason(String category, String text, @Nullable String example) {}

    static FigureTable of(Contender a, @Nullable Contender b) {
        List<Row> rows = new ArrayList<>();
        List<Reason> reasons = new ArrayList<>();
        a.report().categories().forEach((category, metrics) -> {
            rows.add(new Row(
                    category,
                    metrics,
                    b == null ? null : b.report().categories().get(category)));
            reasons.addAll(reasons(category, metrics, a.detail(category)));
        });
        rows.add(new Row(null, a.report().mean(), b == null ? null : b.report().mean()));
        return new FigureTable(rows, reasons);
    }

    List<String> heads() {
        return EvaluationReport.HEADS;
    }

    private static List<Reason> reasons(String category, CategoryMetrics m, CategoryDetail d) {
        List<Reason> reasons = new ArrayList<>();
        if (m.normal() == 0)
            reasons.add(new Reason(
                    category,
                    "no normal images, so there are no figures per image; add some, false alarms cannot be seen "
                            + "without them.",
                    null));
        if (m.anomalous() == 0)
            reasons.add(new Reason(
                    category,
                    "no defective images, so there are no figures but false alarms; add some, misses cannot be seen "
                            + "without them.",
                    null));
        if (m.anomalous() > 0 && d.unmarked() > 0) {
            String without = d.unmarked() == m.anomalous()
                    ? "no defective image has ground truth, so there are no figures per pixel."
                    : d.unmarked() + " of " + m.anomalous()
                            + " defective images have no usable ground truth; the figures per pixel are of the others.";
            reasons.add(new Reason(category, without, null));
        }
        if (d.vanished() > 0)
            reasons.add(new Reason(
                    category,
                    "the ground truth of " + Html.plural(d.vanished(), "defective image", "defective images")
                            + " marks nothing at the model's resolution; counted as normal.",
                    null));
        if (d.misshapen() > 0)
            reasons.add(new Reason(
                    category,
                    Html.plural(d.misshapen(), "ground truth has", "ground truths have")
                            + " other proportions than the image; stretched to fit. Was the image turned or cropped "
                            + "after the mask was drawn?",
                    d.firstMisshapen()));
        return reasons;
    }
}

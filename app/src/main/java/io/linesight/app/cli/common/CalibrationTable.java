package io.linesight.app.cli.common;

import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.mmad.checkpoint.ThresholdBasis;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Prints the thresholds of checkpoints for people. */
public final class CalibrationTable {
    private CalibrationTable() {}

    /** Prints a line for each product: where its threshold lies, what it rests on, and what to expect of it. */
    public static void print(PrintWriter out, Map<String, ProductCalibration> products) {
        int width = Math.max(
                8, products.keySet().stream().mapToInt(String::length).max().orElse(8));
        String format = "%-" + width + "s  %-8s %7s %9s %9s %8s %8s %11s  %-11s %6s %7s %7s%n";
        out.printf(
                format,
                "product",
                "method",
                "normals",
                "anomalous",
                "threshold",
                "wanted",
                "expected",
                "by counting",
                "review band",
                "FAIL",
                "REVIEW",
                "missed");
        new TreeMap<>(products).forEach((product, c) -> out.printf(format, columns(product, c)));
    }

    private static Object[] columns(String product, ProductCalibration c) {
        ThresholdBasis b = c.basis();
        String threshold = String.format(Locale.ROOT, "%.4f", c.threshold());
        String band = c.review() == null
                ? "-"
                : String.format(
                        Locale.ROOT,
                        "%.2f to %.2f",
                        c.review().low(),
                        c.review().high());
        if (b == null) return new Object[] {product, "-", "-", "-", threshold, "-", "-", "-", band, "-", "-", "-"};
        return new Object[] {
            product,
            b.method(),
            b.normals(),
            b.anomalous(),
            threshold,
            percent(b.targetFalseRejectRate()),
            percent(b.expectedFalseRejectRate()),
            b.upperFalseRejectRate() == null ? "-" : "< " + percent(b.upperFalseRejectRate()),
            band,
            percent(b.expectedFailRate()),
            percent(b.expectedReviewRate()),
            percent(b.expectedMissRate())
        };
    }

    /** What the columns mean. */
    public static void explain(PrintWriter out) {
        out.println("wanted, expected: good parts at or above the decision point. by counting: what the normal images "
                + "prove of that with 95 % confidence, whatever their distribution.");
        out.println("FAIL, REVIEW: good parts that are to be expected there with the review band. missed: the given "
                + "anomalous images that would PASS.");
    }

    /** Says which products' normals are too few to show the wanted rate, and what they do show. */
    public static void warn(PrintWriter err, Map<String, ProductCalibration> products) {
        Map<Double, List<String>> few = new TreeMap<>();
        new TreeMap<>(products).forEach((product, c) -> {
            ThresholdBasis b = c.basis();
            if (b == null || b.upperFalseRejectRate() == null || b.normals() >= needed(b.targetFalseRejectRate()))
                return;
            few.computeIfAbsent(b.targetFalseRejectRate(), r -> new ArrayList<>())
                    .add(product + " (" + b.normals() + ": below " + percent(b.upperFalseRejectRate()) + ")");
        });
        few.forEach((rate, list) -> err.println("linesight: too few good images to show a rate of " + percent(rate)
                + ", with 95 % confidence: " + String.join(", ", list) + ". " + needed(rate)
                + " of a product without a false reject would show it; until then its threshold "
                + "rests on how such scores are usually distributed"));
        err.flush();
    }

    /** Without a single false reject, 1 - (1 - rate)^n has to reach 95 %. */
    private static long needed(double rate) {
        return (long) Math.ceil(Math.log(0.05) / Math.log1p(-rate));
    }

    /** Per cent with as many digits as small rates need. */
    public static String percent(@Nullable Double share) {
        if (share == null) return "-";
        double p = 100 * share;
        return String.format(Locale.ROOT, p > 0 && p < 0.095 ? "%.3f %%" : p < 9.95 ? "%.2f %%" : "%.0f %%", p);
    }
}

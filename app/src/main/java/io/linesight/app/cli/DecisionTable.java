package io.linesight.app.cli;

import io.linesight.app.cli.common.CalibrationTable;
import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.mmad.checkpoint.ThresholdBasis;
import io.linesight.mmad.checkpoint.VerdictRule;
import io.linesight.trainer.evaluate.CategoryDetail;
import io.linesight.trainer.evaluate.Decisions;
import io.linesight.trainer.evaluate.EvaluationReport;
import io.linesight.trainer.evaluate.EvaluationReport.ImageScore;
import java.io.PrintWriter;
import java.util.Locale;

/** Prints what a checkpoint decided on the measured images beside what it had let expect. */
final class DecisionTable {
    private DecisionTable() {}

    static void print(PrintWriter out, EvaluationReport measured) {
        int width = Math.max(
                8,
                measured.details().keySet().stream()
                        .mapToInt(String::length)
                        .max()
                        .orElse(8));
        out.printf(
                Locale.ROOT,
                "%-" + width + "s %9s %-8s %8s %12s %-12s  %-11s %s%n",
                "category",
                "threshold",
                "method",
                "expected",
                "false alarms",
                "missed",
                "review band",
                "PASS/REVIEW/FAIL of good, of defective");
        measured.details().forEach((category, detail) -> printRow(out, width, category, detail, measured));
        printTotals(out, width, measured.decisions());
        if (measured.details().values().stream().anyMatch(d -> !d.ownLine()))
            out.println("* not calibrated on this category: the checkpoint's fallback threshold judged "
                    + measured.onFallback() + " of " + measured.images().size() + " images");
    }

    private static void printTotals(PrintWriter out, int width, Decisions all) {
        out.printf(
                Locale.ROOT,
                "%-" + width + "s %9s %-8s %8s %12s %-12s%n",
                "all",
                "",
                "",
                "",
                all.falseAlarms() + " of " + all.normal(),
                all.misses() + " of " + all.defective());
    }

    private static void printRow(
            PrintWriter out, int width, String category, CategoryDetail detail, EvaluationReport measured) {
        ProductCalibration c = detail.calibration();
        Decisions d = measured.decisions(category);
        ThresholdBasis b = detail.ownLine() ? c.basis() : null;
        // First index: good, defective. Second: PASS, REVIEW, FAIL.
        int[][] verdicts = new int[2][3];
        for (ImageScore s : measured.images()) {
            if (!s.category().equals(category)) continue;
            int kind = s.defective() ? 1 : 0;
            verdicts[kind][VerdictRule.DEFAULT.verdict(s.calibrated(), c).ordinal()]++;
        }
        out.printf(
                Locale.ROOT,
                "%-" + width + "s %9.4f %-8s %8s %12s %-12s  %-11s %s  %s%n",
                category,
                c.threshold(),
                !detail.ownLine() ? "*" : b == null ? "-" : b.method(),
                b == null ? "-" : CalibrationTable.percent(b.expectedFalseRejectRate()),
                d.falseAlarms() + " of " + d.normal(),
                d.misses() + " of " + d.defective(),
                String.format(Locale.ROOT, "%.2f to %.2f", VerdictRule.DEFAULT.low(c), VerdictRule.DEFAULT.high(c)),
                triple(verdicts[0]),
                triple(verdicts[1]));
    }

    private static String triple(int[] n) {
        return n[0] + "/" + n[1] + "/" + n[2];
    }
}

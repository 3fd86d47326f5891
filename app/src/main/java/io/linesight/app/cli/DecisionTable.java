package io.linesight.app.cli;

import io.linesight.app.cli.common.CalibrationTable;
import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.mmad.checkpoint.ThresholdBasis;
import io.linesight.mmad.checkpoint.VerdictRule;
import io.linesight.trainer.evaluate.CategoryDetail;
import io.linesight.trainer.evaluate.EvaluationReport;
import io.linesight.trainer.evaluate.EvaluationReport.ImageScore;
import java.io.PrintWriter;
import java.util.List;
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
        measured.details().forEach((category, detail) -> printRow(out, width, category, detail, measured.images()));
        if (measured.details().values().stream().anyMatch(d -> !d.ownLine()))
            out.println("* not calibrated on this category: the checkpoint's fallback threshold judged "
                    + measured.onFallback() + " of " + measured.images().size() + " images");
    }

    private static void printRow(
            PrintWriter out, int width, String category, CategoryDetail detail, List<ImageScore> images) {
        ProductCalibration c = detail.calibration();
        ThresholdBasis b = detail.ownLine() ? c.basis() : null;
        // First index: good, defective. Second: PASS, REVIEW, FAIL.
        int[][] verdicts = new int[2][3];
        int[] mistaken = new int[2];
        for (ImageScore s : images) {
            if (!s.category().equals(category)) continue;
            int kind = s.defective() ? 1 : 0;
            verdicts[kind][VerdictRule.DEFAULT.verdict(s.calibrated(), c).ordinal()]++;
            if (s.mistaken()) mistaken[kind]++;
        }
        out.printf(
                Locale.ROOT,
                "%-" + width + "s %9.4f %-8s %8s %12s %-12s  %-11s %s  %s%n",
                category,
                c.threshold(),
                !detail.ownLine() ? "*" : b == null ? "-" : b.method(),
                b == null ? "-" : CalibrationTable.percent(b.expectedFalseRejectRate()),
                of(mistaken[0], verdicts[0]),
                of(mistaken[1], verdicts[1]),
                String.format(Locale.ROOT, "%.2f to %.2f", VerdictRule.DEFAULT.low(c), VerdictRule.DEFAULT.high(c)),
                triple(verdicts[0]),
                triple(verdicts[1]));
    }

    private static String of(int n, int[] all) {
        return n + " of " + (all[0] + all[1] + all[2]);
    }

    private static String triple(int[] n) {
        return n[0] + "/" + n[1] + "/" + n[2];
    }
}

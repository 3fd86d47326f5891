package io.linesight.app.cli;

import io.linesight.app.cli.common.CalibrationTable;
import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.mmad.checkpoint.ThresholdBasis;
import io.linesight.trainer.evaluate.CategoryDetail;
import io.linesight.trainer.evaluate.EvaluationReport;
import io.linesight.trainer.evaluate.EvaluationReport.ImageScore;
import java.io.PrintWriter;
import java.util.Locale;

/** What a checkpoint decided on the pictures measured, beside what it let expect. */
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
        boolean fallback = false;
        for (var e : measured.details().entrySet()) {
            CategoryDetail d = e.getValue();
            ProductCalibration c = d.calibration();
            ThresholdBasis b = d.ownLine() ? c.basis() : null;
            fallback |= !d.ownLine();
            int[][] verdicts = new int[2][3];
            int[] mistaken = new int[2];
            for (ImageScore s : measured.images()) {
                if (!s.category().equals(e.getKey())) continue;
                int kind = s.defective() ? 1 : 0;
                verdicts[kind][
                        s.calibrated() < c.band().low()
                                ? 0
                                : s.calibrated() >= c.band().high() ? 2 : 1]++;
                if (s.mistaken()) mistaken[kind]++;
            }
            out.printf(
                    Locale.ROOT,
                    "%-" + width + "s %9.4f %-8s %8s %12s %-12s  %-11s %s  %s%n",
                    e.getKey(),
                    c.threshold(),
                    !d.ownLine() ? "*" : b == null ? "-" : b.method(),
                    b == null ? "-" : CalibrationTable.percent(b.expectedFalseRejectRate()),
                    of(mistaken[0], verdicts[0]),
                    of(mistaken[1], verdicts[1]),
                    String.format(
                            Locale.ROOT,
                            "%.2f to %.2f",
                            c.band().low(),
                            c.band().high()),
                    triple(verdicts[0]),
                    triple(verdicts[1]));
        }
        if (fallback) out.println("* not calibrated on this category: the checkpoint's fallback threshold applies");
    }

    private static String of(int n, int[] all) {
        return n + " of " + (all[0] + all[1] + all[2]);
    }

    private static String triple(int[] n) {
        return n[0] + "/" + n[1] + "/" + n[2];
    }
}

package io.linesight.demo.line;

import java.util.List;

/**
 * Frames with known ground truth, by what the model called them.
 *
 * @param good frames of good parts
 * @param falseAlarms of them, called anomalous
 * @param defective frames of defective parts
 * @param missed of them, not called anomalous
 */
public record Verdicts(long good, long falseAlarms, long defective, long missed) {
    /** Counts the outcomes whose ground truth is known. */
    public static Verdicts of(List<Ledger.Outcome> outcomes) {
        long good = 0;
        long falseAlarms = 0;
        long defective = 0;
        long missed = 0;
        for (Ledger.Outcome o : outcomes) {
            if (o.sent().anomalous() == null) continue;
            if (o.sent().anomalous()) {
                defective++;
                if (!o.calledAnomalous()) missed++;
            } else {
                good++;
                if (o.calledAnomalous()) falseAlarms++;
            }
        }
        return new Verdicts(good, falseAlarms, defective, missed);
    }
}

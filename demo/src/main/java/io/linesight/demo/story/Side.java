package io.linesight.demo.story;

import io.linesight.demo.line.Ledger;
import io.linesight.demo.line.Verdicts;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;

/**
 * Frames of some cameras with known ground truth, and what the models called them.
 *
 * @param models versions that decided the frames, sorted
 */
public record Side(long good, long falseAlarms, long defective, long missed, List<String> models) {
    /** Counts the chosen outcomes. Frames without a ground truth are left out, and so are their models. */
    static Side of(List<Ledger.Outcome> outcomes, Predicate<Ledger.Outcome> chosen) {
        List<Ledger.Outcome> known = outcomes.stream()
                .filter(o -> o.sent().anomalous() != null && chosen.test(o))
                .toList();
        Verdicts v = Verdicts.of(known);
        List<String> models = known.stream()
                .map(o -> o.result().getModelVersion())
                .distinct()
                .sorted()
                .toList();
        return new Side(v.good(), v.falseAlarms(), v.defective(), v.missed(), models);
    }

    public long frames() {
        return good + defective;
    }

    /** Share of the good parts that were called anomalous; NaN when there are none. */
    public double falseAlarmRate() {
        return good == 0 ? Double.NaN : (double) falseAlarms / good;
    }

    /** Share of the defective parts that were missed; NaN when there are none. */
    public double missRate() {
        return defective == 0 ? Double.NaN : (double) missed / defective;
    }

    /** Share of all frames that were called anomalous; NaN when there are none. */
    public double anomalyRate() {
        return frames() == 0 ? Double.NaN : (double) (falseAlarms + defective - missed) / frames();
    }

    String text() {
        return String.format(
                Locale.ROOT,
                "%d of %d good parts false alarms (%s), %d of %d defective missed (%s)",
                falseAlarms,
                good,
                percent(falseAlarmRate()),
                missed,
                defective,
                percent(missRate()));
    }

    /** A share as a percentage; a dash for NaN. */
    public static String percent(double share) {
        return Double.isFinite(share) ? String.format(Locale.ROOT, "%.1f %%", 100 * share) : "-";
    }
}

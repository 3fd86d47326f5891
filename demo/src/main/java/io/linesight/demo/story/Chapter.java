package io.linesight.demo.story;

import io.linesight.demo.line.Ledger;
import io.linesight.demo.line.RunSummary;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;

/**
 * A part of the story: the frames that were exposed in it.
 *
 * @param to null while it goes on
 */
record Chapter(String name, Instant from, Instant to) {
    /**
     * What was said of some frames whose truth is known.
     *
     * @param models versions that decided them
     */
    record Figures(long good, long falseAlarms, long bad, long missed, List<String> models) {
        long frames() {
            return good + bad;
        }

        long anomalous() {
            return falseAlarms + bad - missed;
        }

        double falseAlarmRate() {
            return good == 0 ? Double.NaN : (double) falseAlarms / good;
        }

        double missRate() {
            return bad == 0 ? Double.NaN : (double) missed / bad;
        }

        double anomalyRate() {
            return frames() == 0 ? Double.NaN : (double) anomalous() / frames();
        }

        String text() {
            return String.format(
                    Locale.ROOT,
                    "%d of %d good parts false alarms (%s), %d of %d defective missed (%s)",
                    falseAlarms,
                    good,
                    percent(falseAlarmRate()),
                    missed,
                    bad,
                    percent(missRate()));
        }
    }

    Chapter until(Instant end) {
        return new Chapter(name, from, end);
    }

    Figures figures(Ledger ledger, Predicate<String> cameras) {
        return figures(
                ledger.outcomes(),
                o -> cameras.test(o.sent().cameraId())
                        && !o.result().getCapturedAt().isBefore(from)
                        && (to == null || o.result().getCapturedAt().isBefore(to)));
    }

    static Figures figures(List<Ledger.Outcome> outcomes, Predicate<Ledger.Outcome> chosen) {
        // Frames without a truth are counted by nobody, and their model is not shown either.
        List<Ledger.Outcome> known = outcomes.stream()
                .filter(o -> o.sent().anomalous() != null && chosen.test(o))
                .toList();
        RunSummary.WrongVerdicts v = RunSummary.WrongVerdicts.of(known);
        List<String> models = known.stream()
                .map(o -> o.result().getModelVersion())
                .distinct()
                .sorted()
                .toList();
        return new Figures(v.good(), v.falseAlarms(), v.bad(), v.missed(), models);
    }

    static String percent(double share) {
        return Double.isNaN(share) ? "-" : String.format(Locale.ROOT, "%.1f %%", 100 * share);
    }
}

package io.linesight.notify;

import io.linesight.schemas.Alert;
import io.linesight.schemas.AlertChange;
import io.linesight.schemas.AlertKind;
import io.linesight.schemas.AlertSeverity;
import java.util.EnumSet;
import java.util.Set;

/**
 * Which changes of alerts are delivered.
 *
 * @param kinds of alerts; empty for all
 * @param minSeverity of the alert
 */
public record AlertFilter(Set<AlertKind> kinds, AlertSeverity minSeverity) {
    /** Counts go up with every frame, and a refusal is an answer to one person. */
    private static final Set<AlertChange> QUIET = EnumSet.of(AlertChange.COUNTED, AlertChange.REFUSED);

    public AlertFilter {
        kinds = Set.copyOf(kinds);
    }

    /** Everything but counts and refusals. */
    public static AlertFilter all() {
        return new AlertFilter(Set.of(), AlertSeverity.UNKNOWN);
    }

    boolean wants(Alert alert) {
        return !QUIET.contains(alert.getChange())
                && (kinds.isEmpty() || kinds.contains(alert.getKind()))
                && alert.getSeverity().compareTo(minSeverity) >= 0;
    }
}

package io.linesight.app.cli.alerts;

import io.linesight.app.cli.common.Table;
import io.linesight.schemas.Alert;
import io.linesight.schemas.AlertKind;
import java.io.PrintWriter;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** How the distributions of an alert about drift differ: a line for what was before and one for what is now. */
final class DriftTable {
    private static final String BEFORE = ".before";
    private static final int QUANTILES = 5;

    private DriftTable() {}

    /**
     * Prints nothing for other alerts.
     *
     * @return the details that are not in the table
     */
    static Map<String, String> print(PrintWriter out, Alert a) {
        Map<String, String> rest = new TreeMap<>(a.getDetails());
        if (a.getKind() != AlertKind.DRIFT) return rest;
        List<String> moved = words(rest.remove("moved"));
        List<String> tails = words(rest.remove("tailOnly"));
        Table table = new Table("measure", "drifted", "effect", "windows", "", "1 %", "10 %", "50 %", "90 %", "99 %");
        for (String key : a.getDetails().keySet()) {
            if (!key.endsWith(BEFORE)) continue;
            String name = key.substring(0, key.length() - BEFORE.length());
            String drifted = moved.contains(name) ? "yes" : tails.contains(name) ? "tail alone: defects" : "no";
            String effect = rest.remove(name + ".effect");
            String windows = rest.remove(name + ".windows");
            row(table, List.of(name, drifted, text(effect), text(windows), "before"), rest.remove(key));
            row(table, List.of("", "", "", "", "now"), rest.remove(name + ".now"));
        }
        if (!table.isEmpty()) {
            out.println();
            table.print(out);
            out.println();
        }
        return rest;
    }

    private static List<String> words(@Nullable String text) {
        return text == null ? List.of() : List.of(text.split(","));
    }

    private static String text(@Nullable String value) {
        return value == null ? "" : value;
    }

    private static void row(Table table, List<String> head, @Nullable String quantiles) {
        String[] values = text(quantiles).split(" ", QUANTILES);
        Object[] cells = Arrays.copyOf(head.toArray(), head.size() + QUANTILES);
        for (int i = 0; i < QUANTILES; i++) cells[head.size() + i] = i < values.length ? values[i] : "";
        table.row(cells);
    }
}

package io.linesight.app.cli.common;

import java.io.PrintWriter;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Columns as wide as they need to be. */
public final class Table {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss").withZone(ZoneId.systemDefault());

    private final List<String[]> rows = new ArrayList<>();

    public Table(String... head) {
        rows.add(head);
    }

    public void row(Object... cells) {
        rows.add(Arrays.stream(cells)
                .map(c -> c == null ? "-" : printable(c.toString()))
                .toArray(String[]::new));
    }

    public boolean isEmpty() {
        return rows.size() == 1;
    }

    public void print(PrintWriter out) {
        int[] widths = new int[rows.get(0).length];
        for (String[] row : rows) {
            for (int i = 0; i < row.length; i++) widths[i] = Math.max(widths[i], row[i].length());
        }
        for (String[] row : rows) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < row.length; i++)
                line.append(row[i]).append(" ".repeat(widths[i] - row[i].length() + 2));
            out.println(line.toString().stripTrailing());
        }
    }

    /** A time as people read it, in this system's time zone. */
    public static String time(Instant at) {
        return TIME.format(at);
    }

    /** Texts come from a topic that anybody may have written; they must not steer the terminal. */
    public static String printable(String text) {
        return text.replaceAll("[\\p{Cntrl}]+", " ");
    }
}

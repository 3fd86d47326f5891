package io.linesight.demo;

import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;

/** Draws the live table: in place on a terminal, as plain blocks elsewhere. One thread. */
final class LiveTable {
    private static final String RED = "\u001b[31m";
    private static final String YELLOW = "\u001b[33m";
    private static final String GREEN = "\u001b[32m";
    private static final String DIM = "\u001b[2m";
    private static final String END = "\u001b[0m";
    private final PrintWriter out;
    private final boolean terminal;
    private int drawn;

    LiveTable(PrintWriter out, boolean terminal) {
        this.out = out;
        this.terminal = terminal;
    }

    void draw(String headline, List<LiveStats.Row> rows, String footline) {
        StringBuilder b = new StringBuilder();
        if (terminal && drawn > 0) b.append("\u001b[").append(drawn).append('A');
        line(b, headline);
        line(
                b,
                paint(
                        DIM,
                        String.format(
                                Locale.ROOT,
                                "  %-10s %-12s %8s %9s  %-18s %-7s %9s %9s",
                                "camera",
                                "product",
                                "results",
                                "frames/s",
                                "score",
                                "verdict",
                                "p95 ms",
                                "anomalous")));
        for (LiveStats.Row r : rows) {
            line(
                    b,
                    String.format(
                            Locale.ROOT,
                            "  %-10s %-12s %8d %9.1f  %s %s %9.0f %9d",
                            r.camera(),
                            r.product(),
                            r.results(),
                            r.framesPerSecond(),
                            bar(r.score()),
                            verdict(r.verdict()),
                            r.p95Millis(),
                            r.fails()));
        }
        line(b, footline);
        drawn = rows.size() + 3;
        if (!terminal) b.append('\n');
        out.print(b);
        out.flush();
    }

    private void line(StringBuilder b, String text) {
        b.append(text);
        if (terminal) b.append("\u001b[K");
        b.append('\n');
    }

    private String bar(double score) {
        if (Double.isNaN(score)) return String.format("%-18s", "failed");
        int full = (int) Math.round(score * 10);
        return String.format(Locale.ROOT, "%.3f ", score)
                + (terminal ? "█".repeat(full) + "░".repeat(10 - full) : "#".repeat(full) + ".".repeat(10 - full))
                + "  ";
    }

    private String verdict(String v) {
        String padded = String.format("%-7s", v);
        return switch (v) {
            case "FAIL" -> paint(RED, padded);
            case "REVIEW" -> paint(YELLOW, padded);
            case "PASS" -> paint(GREEN, padded);
            default -> padded;
        };
    }

    private String paint(String colour, String text) {
        return terminal ? colour + text + END : text;
    }
}

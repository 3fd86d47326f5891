package io.linesight.demo.story;

import java.io.PrintWriter;
import java.util.Locale;

/** Prints lines with the time since the story began. Any thread. */
final class Narrator {
    private final PrintWriter out;
    private final long begin = System.nanoTime();

    Narrator(PrintWriter out) {
        this.out = out;
    }

    synchronized void say(String text) {
        long seconds = (System.nanoTime() - begin) / 1_000_000_000L;
        out.printf(Locale.ROOT, "%2d:%02d  %s%n", seconds / 60, seconds % 60, text);
        out.flush();
    }
}

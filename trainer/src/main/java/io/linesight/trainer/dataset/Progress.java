package io.linesight.trainer.dataset;

import java.io.PrintStream;
import java.time.Duration;
import java.util.Locale;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** Progress of one phase: a bar on a terminal, a line every few seconds otherwise. */
public final class Progress implements AutoCloseable {
    private static final Duration EVERY = Duration.ofSeconds(10);

    private final PrintStream out;
    private final String task;
    private final ProgressBar bar;
    private long last = System.nanoTime();

    public Progress(PrintStream out, String task) {
        this.out = out;
        this.task = task;
        boolean terminal = System.console() != null && (out == System.err || out == System.out);
        bar = terminal
                ? new ProgressBarBuilder()
                        .setTaskName(task)
                        .setInitialMax(1000)
                        .setStyle(ProgressBarStyle.ASCII)
                        .setConsumer(new ConsoleProgressBarConsumer(out))
                        .setUpdateIntervalMillis(500)
                        .build()
                : null;
    }

    /** @param fraction done, 0..1 */
    public void update(double fraction, String message) {
        if (bar != null) {
            bar.stepTo(Math.round(1000 * Math.min(1, fraction)));
            bar.setExtraMessage(message);
            return;
        }
        long now = System.nanoTime();
        if (now - last < EVERY.toNanos()) return;
        last = now;
        say(String.format(Locale.ROOT, "%s %.0f %%: %s", task, 100 * Math.min(1, fraction), message));
    }

    /** For people: {@code 45 s}, {@code 12 min}, {@code 3 h 05 min}. */
    public static String duration(double seconds) {
        long s = Math.round(Math.max(0, Math.min(seconds, 1e9)));
        if (s < 90) return s + " s";
        if (s < 5400) return Math.round(s / 60.0) + " min";
        return String.format(Locale.ROOT, "%d h %02d min", s / 3600, s % 3600 / 60);
    }

    public void say(String line) {
        out.println(line);
    }

    @Override
    public void close() {
        if (bar != null) bar.close();
    }
}

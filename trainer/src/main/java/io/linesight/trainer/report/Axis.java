package io.linesight.trainer.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Round values along an axis. */
record Axis(double from, double to, double step) {
    /** Ticks at 1, 2 or 5 times a power of ten, {@code about} of them or somewhat more. */
    static Axis over(double from, double to, int about) {
        double rough = (to - from) / about;
        double power = Math.pow(10, Math.floor(Math.log10(rough)));
        double step = rough / power < 2 ? power : rough / power < 5 ? 2 * power : 5 * power;
        return new Axis(from, to, step);
    }

    List<Double> ticks() {
        List<Double> ticks = new ArrayList<>();
        for (long i = (long) Math.ceil(from / step - 1e-9); i * step <= to + 1e-9 * step; i++) ticks.add(i * step);
        return ticks;
    }

    String label(double tick) {
        int digits = (int) Math.max(0, Math.min(10, Math.ceil(-Math.log10(step) - 1e-9)));
        return String.format(Locale.ROOT, "%." + digits + "f", tick == 0 ? 0.0 : tick);
    }
}

package io.linesight.demo;

import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * Measures what a line bears while it is kept full: says how many frames may wait for their answers, and how many
 * answers a second came of that.
 *
 * <p>As many frames wait as the line answers in two seconds. That is enough to fill it, because a line that is not full
 * answers in less than one, and little enough to drain soon. Holds no clock. One thread.
 */
final class Saturation {
    static final int MIN_WINDOW = 8;
    private static final int MAX_WINDOW = 1024;
    /** Code is compiled and connections are opened in the first seconds; they do not count. */
    private static final double RAMP_SECONDS = 3;

    private static final double MEASURED_SECONDS = 4;
    private static final long MIN_ANSWERS = 12;

    /** Answers so far, at a time. */
    private record Reading(double second, long answered) {}

    private final Deque<Reading> lastSecond = new ArrayDeque<>();
    private int window = MIN_WINDOW;
    private @Nullable Reading first;
    private @Nullable Reading from;
    private @Nullable Reading last;

    /**
     * @param second from any beginning; never falls
     * @param answered answers so far
     */
    void read(double second, long answered) {
        last = new Reading(second, answered);
        lastSecond.add(last);
        while (lastSecond.getFirst().second < second - 1) lastSecond.removeFirst();
        window = (int) Math.min(MAX_WINDOW, Math.max(window, 2 * (answered - lastSecond.getFirst().answered)));
        if (first == null && answered > 0) first = last;
        if (from == null && first != null && second - first.second >= RAMP_SECONDS) from = last;
    }

    /** How many frames may wait. */
    int window() {
        return window;
    }

    /** Whether enough has been seen. */
    boolean isDone() {
        return from != null
                && last.second - from.second >= MEASURED_SECONDS
                && last.answered - from.answered >= MIN_ANSWERS;
    }

    /** Answers a second after the ramp; 0 before it has ended. */
    double framesPerSecond() {
        return from == null || last.second == from.second
                ? 0
                : (last.answered - from.answered) / (last.second - from.second);
    }
}

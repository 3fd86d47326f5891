package io.linesight.streams.drift;

import java.util.List;

/**
 * What became of a camera and product when a window ended, or when another model came.
 *
 * @param modelChanged whether another model came, whose scores have a first day of their own
 * @param drifted whether anything has drifted
 * @param from when the window began, microseconds since 1970; 0 where none ended
 * @param to when it ended
 * @param frames of the window; 0 where none ended
 * @param shifts what was compared; empty on the first day
 */
public record DriftReport(boolean modelChanged, boolean drifted, long from, long to, long frames, List<Shift> shifts) {

    public DriftReport {
        shifts = List.copyOf(shifts);
    }
}

package io.linesight.streams.drift;

import java.util.List;

/**
 * How a measure of a window compares with what it should be like.
 *
 * @param measure what is compared
 * @param normals whether it is compared with the scores of the checkpoint's normal images, and not with the first day
 * @param effect distance, in widths of the middle 80 % of the values before
 * @param tailOnly whether only the tail of the scores has moved beyond the limit: defects, no drift
 * @param drifted whether it has drifted, after on-delay and off-delay
 * @param windows windows in a row that were beyond the limit
 * @param before quantiles at 1, 10, 50, 90 and 99 % of the values before
 * @param now the same of the window
 */
public record Shift(
        Measure measure,
        boolean normals,
        double effect,
        boolean tailOnly,
        boolean drifted,
        int windows,
        List<Double> before,
        List<Double> now) {

    public Shift {
        before = List.copyOf(before);
        now = List.copyOf(now);
    }
}

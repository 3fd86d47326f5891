package io.linesight.mmad.exemption;

import java.util.List;

/**
 * What of a frame was called a false alarm.
 *
 * @param id names it in answers
 * @param cells at least one at each stride
 */
public record FalseAlarm(String id, List<ExemptCell> cells) {
    /** @throws IllegalArgumentException when a stride has no cells: it would cover nothing */
    public FalseAlarm {
        cells = List.copyOf(cells);
        for (int stride : FrameFeatures.STRIDES)
            if (cells.stream().noneMatch(c -> c.stride() == stride))
                throw new IllegalArgumentException("an exemption has cells at stride " + stride);
    }
}

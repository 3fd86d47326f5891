package io.linesight.mmad.model;

/** How the distance between teacher and student becomes the anomaly map of a scale. */
public enum MapKind {
    /** The cosine distance itself: the paper's setting. */
    COSINE,
    /**
     * How far the logarithm of the cosine distance lies above what is expected at this place of a normal picture, in mean absolute deviations;
     * 0 where it lies below. What is expected is read from the student's own features by a small network per scale
     * ({@code anomaly_map.<i>.*}), fitted on normal pictures after training. A student that reproduces a glossy edge badly then no longer
     * drowns a faint defect on plain ground.
     */
    STANDARDISED
}

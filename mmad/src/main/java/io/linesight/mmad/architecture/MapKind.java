package io.linesight.mmad.architecture;

/** How the distance between teacher and student becomes the anomaly map of a scale. */
public enum MapKind {
    /** The cosine distance itself: the paper's setting. */
    COSINE,
    /**
     * How far the logarithm of the cosine distance lies above what is expected at this place of a normal image, in mean
     * absolute deviations; 0 where it lies below. What is expected is read from the student's own features by a small
     * network per scale ({@code anomaly_map.<i>.*}), fitted on normal images after training. A student that reproduces
     * a glossy edge badly then no longer drowns a faint defect on plain ground.
     */
    STANDARDISED,
    /**
     * How far the logarithms of two distances lie above what normal images have, each in standard deviations, added; 0
     * where the sum lies below. Mean and deviation are those of the place in the image, drawn towards the whole image's
     * while images are few; the mean is never less than the whole image's, so that places where all goes well are not
     * blown up. One is the cosine distance. The other is the difference between teacher and student, averaged over 3x3
     * pixels, measured by the covariance that this difference has on normal images (Mahalanobis): what the student
     * never reproduces counts little, and a small difference in a direction that it always gets right counts much. So a
     * network is useful long before it imitates well. The tensors ({@code anomaly_map.<i>.whiten.*},
     * {@code anomaly_map.<i>.levels}, {@code anomaly_map.groups.*}) are fitted on normal images after training, for
     * every product its own ({@link MmadConfig#groups}).
     */
    WHITENED
}

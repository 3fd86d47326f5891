package io.linesight.mmad.checkpoint;

/**
 * Which calibrated scores are neither good nor bad enough to be decided without a person: below {@code low} PASS, from
 * {@code high} on FAIL, REVIEW between them. The decision point always lies within.
 *
 * @param low 0..0.5
 * @param high 0.5..1
 */
public record ReviewBand(double low, double high) {
    /** Where neither checkpoint nor configuration says otherwise: 0.4 to 0.6. */
    public static final ReviewBand USUAL = new ReviewBand(0.4, 0.6);

    public ReviewBand {
        if (!(low >= 0 && low <= 0.5 && high >= 0.5 && high <= 1)) {
            throw new IllegalArgumentException(
                    "a review band lies around 0.5, within 0..1; got " + low + " to " + high);
        }
    }
}

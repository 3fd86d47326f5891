package io.linesight.trainer.imagestore;

/** What an image may be used for. It follows from the image's hash when it is stored and never changes afterwards. */
public enum Split {
    /** Normals are trained on; anomalous images help to place the threshold. */
    TRAIN,
    /** Places the threshold, nothing else. */
    CALIBRATE,
    /** The gate measures on it, nothing else. */
    HELD_OUT;

    /**
     * The split of an image by its hash alone, which is as good as random and the same everywhere.
     *
     * @param sha256 of the image's bytes, lower-case hex
     * @param heldOutShare 0..1
     * @param calibrateShare 0..1
     */
    static Split of(String sha256, double heldOutShare, double calibrateShare) {
        double uniform = Long.parseLong(sha256.substring(0, 13), 16) / (double) (1L << 52);
        if (uniform < heldOutShare) return HELD_OUT;
        return uniform < heldOutShare + calibrateShare ? CALIBRATE : TRAIN;
    }
}

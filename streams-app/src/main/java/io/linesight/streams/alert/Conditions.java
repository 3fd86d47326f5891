package io.linesight.streams.alert;

/** What alerts are about. */
public final class Conditions {
    /** DEFECT: frames of a product are anomalous. */
    public static final String ANOMALOUS = "ANOMALOUS";
    /** CAMERA: no frames. */
    public static final String SILENT = "SILENT";
    /** CAMERA: the same pixels again and again. */
    public static final String FROZEN = "FROZEN";
    /** CAMERA: hardly any light. */
    public static final String BLACK = "BLACK";
    /** CAMERA: too much light. */
    public static final String OVEREXPOSED = "OVEREXPOSED";
    /** CAMERA: much less sharp than usual. */
    public static final String BLURRED = "BLURRED";
    /** DRIFT: scores or images of a product at a camera are no longer distributed as before. */
    public static final String SHIFTED = "SHIFTED";
    /** No alert: the camera's alerts are suppressed meanwhile. */
    public static final String MAINTENANCE = "MAINTENANCE";
    /** MODEL: a guard withdrew a model or rolled it back. */
    public static final String GUARD_TRIPPED = "GUARD_TRIPPED";
    /** MODEL: an instance does not serve what its channel decided. */
    public static final String INSTANCE_BEHIND = "INSTANCE_BEHIND";

    private Conditions() {}
}

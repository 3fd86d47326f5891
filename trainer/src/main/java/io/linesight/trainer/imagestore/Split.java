package io.linesight.trainer.imagestore;

/**
 * What a picture may be used for. It follows from the picture's own hash when it is stored and never changes
 * afterwards.
 */
public enum Split {
    /** Normals are trained on; anomalous ones help to place the threshold. */
    TRAIN,
    /** Only ever places the threshold. */
    CALIBRATE,
    /** Only ever measured on: by the gate. */
    HELD_OUT
}

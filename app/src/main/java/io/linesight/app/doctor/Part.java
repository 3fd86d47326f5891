package io.linesight.app.doctor;

/** What is to run on the cluster. */
public enum Part {
    SERVE,
    TRAIN,
    CAMERA,
    /** {@code notify opcua}. */
    OPCUA,
    /** Inspection, trainer and cameras. */
    ALL
}

package io.linesight.app.doctor;

/** What is to run on the cluster. */
public enum Part {
    SERVE,
    TRAIN,
    CAMERA,
    ALL
}

package io.linesight.standalone.doctor;

/** What is to run on the cluster. */
public enum Part {
    SERVE,
    TRAIN,
    CAMERA,
    ALL
}

package io.linesight.streams.alert;

/** Whether frames may be on their way, so that nothing is known of cameras whose results are missing. Thread-safe. */
@FunctionalInterface
interface FrameBacklog {

    /** Never waits. */
    boolean framesWait();
}

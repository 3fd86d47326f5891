package io.linesight.trainer.learning;

/** Stages of a run, in their order. Each is recorded when it is done; a restarted run resumes after the last one. */
enum Stage {
    /** Champion copied, images chosen. */
    FETCH,
    /** Challenger trained. */
    TRAIN,
    /** Its thresholds placed. */
    CALIBRATE,
    /** Compared with the champion. */
    GATE,
    /** Handed over. */
    OFFER
}

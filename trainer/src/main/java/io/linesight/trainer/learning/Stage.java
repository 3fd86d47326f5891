package io.linesight.trainer.learning;

/**
 * Steps of a run, in their order; each is noted when it is done, and a restarted run goes on after the last one noted.
 */
enum Stage {
    /** Champion copied, pictures chosen. */
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

package io.linesight.trainer.feedback;

/** What became of the attempt to read one frame. */
public enum FetchOutcome {
    /** Here it is. */
    FETCHED,
    /** The topic's retention has deleted it; it will never come back. */
    EXPIRED,
    /** The topic has not got so far; ask again later. */
    NOT_YET,
    /**
     * Something else lies there, or nothing: another topic, no such partition, a transaction marker, bytes or pixels
     * that are no frame.
     */
    NOT_A_FRAME
}

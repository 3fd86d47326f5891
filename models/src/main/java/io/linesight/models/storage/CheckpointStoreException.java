package io.linesight.models.storage;

import java.io.IOException;

/** A checkpoint could not be put, fetched or deleted; the message says why and what can be done. */
public final class CheckpointStoreException extends IOException {
    private static final long serialVersionUID = 1L;

    /** What kind of failure. */
    public enum Reason {
        /** The manifest itself cannot be right, or its location is not one this program goes to. */
        REJECTED,
        /** Some or all of the bytes are not there. */
        MISSING,
        /** There are fewer or more bytes than there should be. */
        WRONG_SIZE,
        /** The bytes are not those that were published. */
        TAMPERED,
        /** No room on the disk; worth another try when there is. */
        NO_SPACE,
        /** The store does not answer; worth another try. */
        UNREACHABLE,
        /** Reading or writing a local file failed. */
        IO
    }

    private final Reason reason;

    public CheckpointStoreException(Reason reason, String message, Throwable cause) {
        super(message, cause);
        this.reason = reason;
    }

    public CheckpointStoreException(Reason reason, String message) {
        this(reason, message, null);
    }

    public Reason reason() {
        return reason;
    }

    /** Whether the same call may well succeed later. */
    public boolean worthRetrying() {
        return reason == Reason.NO_SPACE || reason == Reason.UNREACHABLE;
    }
}

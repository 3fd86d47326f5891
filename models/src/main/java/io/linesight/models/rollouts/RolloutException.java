package io.linesight.models.rollouts;

/** A decision did not come into force; the message says why and what to do. */
public final class RolloutException extends Exception {
    private static final long serialVersionUID = 1L;

    /** What happened. */
    public enum Kind {
        /** The rules do not allow it; nothing was written. */
        REJECTED,
        /** Another decision was faster; this one is in the history and has no effect. */
        OVERTAKEN,
        /** Broker or schema registry are unavailable; nothing was written. */
        UNAVAILABLE,
        /** It was written, or perhaps was; whether it came into force cannot be seen at the moment. */
        UNCERTAIN
    }

    private final Kind kind;

    RolloutException(Kind kind, String message, Throwable cause) {
        super(message, cause);
        this.kind = kind;
    }

    public Kind kind() {
        return kind;
    }
}

package io.linesight.streams.serving;

/** A published checkpoint is not served. The message is the reason on the model-status topic, for people. */
public final class ModelRefusedException extends Exception {

    private final boolean passing;

    /** For good: this version will not be tried again unless a new decision names it. */
    public ModelRefusedException(String reason) {
        this(reason, null, false);
    }

    ModelRefusedException(String reason, Throwable cause, boolean passing) {
        super(reason, cause);
        this.passing = passing;
    }

    /** Whether trying again later may help. */
    boolean passing() {
        return passing;
    }
}

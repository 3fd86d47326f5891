package io.linesight.streams.serving;

import org.jspecify.annotations.Nullable;

/** A published checkpoint is not served. The message is the reason on the model-status topic, for people. */
public final class ModelRejectedException extends Exception {

    private final boolean retriable;

    /** For good: this version will not be tried again unless a new decision names it. */
    public ModelRejectedException(String reason) {
        this(reason, null, false);
    }

    ModelRejectedException(String reason, @Nullable Throwable cause, boolean retriable) {
        super(reason, cause);
        this.retriable = retriable;
    }

    /** Whether trying again later may help. */
    boolean retriable() {
        return retriable;
    }
}

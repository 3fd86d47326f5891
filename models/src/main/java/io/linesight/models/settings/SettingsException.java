package io.linesight.models.settings;

import org.jspecify.annotations.Nullable;

/** Settings did not come into force; the message says why and what to do. */
public final class SettingsException extends Exception {
    private static final long serialVersionUID = 1L;

    /** What happened. */
    public enum Kind {
        /** The rules do not allow it; nothing was written. */
        REJECTED,
        /** Somebody else was faster; what was written, if anything, has no effect. */
        OVERTAKEN,
        /** Broker or schema registry are unavailable; nothing was written. */
        UNAVAILABLE,
        /** It was written, or perhaps was; whether it came into force cannot be seen at the moment. */
        UNCERTAIN
    }

    private final Kind kind;

    SettingsException(Kind kind, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.kind = kind;
    }

    public Kind kind() {
        return kind;
    }
}

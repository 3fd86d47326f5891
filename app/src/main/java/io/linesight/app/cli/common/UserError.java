package io.linesight.app.cli.common;

/** Something the user can put right; the message is complete and is shown without a stack trace. */
public final class UserError extends RuntimeException {
    public UserError(String message) {
        super(message);
    }

    public UserError(String message, Throwable cause) {
        super(message, cause);
    }
}

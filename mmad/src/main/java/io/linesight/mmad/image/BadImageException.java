package io.linesight.mmad.image;

/** An image that cannot be used. The message is complete: it says what is wrong, with the sizes that matter. */
public class BadImageException extends Exception {
    /** Why; stable names, fit for metrics and dead-letter headers. */
    public enum Code {
        /** No bytes at all. */
        EMPTY,
        /** Not a JPEG or PNG, or a kind of them that is not supported. */
        UNSUPPORTED,
        /** More pixels, a longer side or more bytes than the limits allow; nothing was decoded. */
        TOO_LARGE,
        /** Truncated or damaged. */
        CORRUPT,
        /** Raw pixels whose number does not fit the declared width and height. */
        SIZE_MISMATCH
    }

    private final Code code;

    public BadImageException(Code code, String message) {
        super(message);
        this.code = code;
    }

    public BadImageException(Code code, String message, Throwable cause) {
        super(message, cause);
        this.code = code;
    }

    /** Why. */
    public Code code() {
        return code;
    }
}

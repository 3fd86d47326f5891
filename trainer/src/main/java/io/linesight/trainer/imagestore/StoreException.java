package io.linesight.trainer.imagestore;

/** The store cannot be used as it is. The message says what to do; what was journalled before stays. */
public class StoreException extends RuntimeException {
    public StoreException(String message) {
        super(message);
    }

    public StoreException(String message, Throwable cause) {
        super(message, cause);
    }
}

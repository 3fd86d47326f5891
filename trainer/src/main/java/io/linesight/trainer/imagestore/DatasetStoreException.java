package io.linesight.trainer.imagestore;

/** The store cannot be used as it is. The message says what to do; what was journalled before stays. */
public class DatasetStoreException extends RuntimeException {
    public DatasetStoreException(String message) {
        super(message);
    }

    public DatasetStoreException(String message, Throwable cause) {
        super(message, cause);
    }
}

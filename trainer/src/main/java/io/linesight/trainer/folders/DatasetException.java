package io.linesight.trainer.folders;

/** A data set that cannot be used as it is. The message names every problem and what to do. */
public class DatasetException extends RuntimeException {
    public DatasetException(String message) {
        super(message);
    }

    public DatasetException(String message, Throwable cause) {
        super(message, cause);
    }
}

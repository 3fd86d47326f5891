package io.linesight.mmad.runtime;

/** The inference runtime rejected or failed a batch. */
public class ScoringException extends RuntimeException {
    public ScoringException(String message, Throwable cause) {
        super(message, cause);
    }
}

package io.linesight.mmad.runtime;

/** The inference runtime refused or failed a batch. */
public class ScoringException extends RuntimeException {
    public ScoringException(String message, Throwable cause) {
        super(message, cause);
    }
}

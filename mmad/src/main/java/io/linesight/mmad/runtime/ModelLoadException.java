package io.linesight.mmad.runtime;

/**
 * A checkpoint cannot be opened: missing, damaged, of another kind, or not for the device asked for. The message says
 * which and what to do.
 */
public class ModelLoadException extends ScoringException {
    public ModelLoadException(String message, Throwable cause) {
        super(message, cause);
    }

    public ModelLoadException(String message) {
        super(message, null);
    }
}

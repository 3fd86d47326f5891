package io.linesight.models.signing;

/**
 * Result of verifying a manifest's signature.
 *
 * @param outcome for programs
 * @param message one sentence for people, with what can be done where it was rejected
 * @param accepted whether the version may be used
 */
public record Verification(Outcome outcome, String message, boolean accepted) {
    /** What the signature is. */
    public enum Outcome {
        /** By a trusted key, and it fits. */
        SIGNED,
        /** There is none. */
        UNSIGNED,
        /** By a key that is not trusted, so it proves nothing. */
        UNKNOWN_KEY,
        /** A trusted key is named, but the signature does not fit: the manifest was changed after it was signed. */
        DOES_NOT_FIT
    }
}

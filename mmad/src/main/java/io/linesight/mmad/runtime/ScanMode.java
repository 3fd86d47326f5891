package io.linesight.mmad.runtime;

/** Which implementation of the selective scan a scorer runs. */
public enum ScanMode {
    /** The Java operator where it works (CPU sessions), the checkpoint's portable definition elsewhere. */
    AUTO,
    /** The Java operator; opening fails where it does not work. */
    OPERATOR,
    /** The checkpoint's portable definition. On the CPU about 20 times slower: for comparison. */
    FUNCTION
}

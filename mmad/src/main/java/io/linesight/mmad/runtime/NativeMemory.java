package io.linesight.mmad.runtime;

import com.sun.jna.Function;
import com.sun.jna.NativeLibrary;

/**
 * Gives memory back that native code has freed. With glibc a process that opens and closes sessions grows by about 10
 * MiB each time, although heap and allocated memory stay the same (seen with 2.36): the holes that large blocks of ONNX
 * Runtime's arena leave behind are kept, and the blocks of the next session do not go into them. Trimming returns their
 * pages; only address space stays.
 *
 * <p>Stateless; does nothing where the C library has no such function.
 */
public final class NativeMemory {
    private static final Function TRIM = find();

    private NativeMemory() {}

    /**
     * Takes some milliseconds, in which other threads may wait for memory: for the end of a session, not for every
     * batch.
     */
    public static void trim() {
        if (TRIM != null) TRIM.invokeInt(new Object[] {0L});
    }

    private static Function find() {
        try {
            return NativeLibrary.getProcess().getFunction("malloc_trim");
        } catch (UnsatisfiedLinkError e) {
            return null;
        }
    }
}

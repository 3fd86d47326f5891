package io.linesight.mmad.runtime;

import com.sun.jna.Function;
import com.sun.jna.NativeLibrary;

/**
 * Gives memory back that native code has freed. glibc before 2.38 cannot reuse the room of a large aligned block for the next block of the same
 * size, and such blocks are what ONNX Runtime's arena is made of: a process that opens and closes sessions grows by about 10 MiB each time,
 * although nothing leaks. Trimming returns the pages; only address space stays.
 *
 * <p>Stateless; does nothing where the C library has no such function.
 */
public final class NativeMemory {
    private static final Function TRIM = find();

    private NativeMemory() { }

    /** Takes some milliseconds, in which other threads may wait for memory: for the end of a session, not for every batch. */
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

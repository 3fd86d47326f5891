package io.linesight.mmad.scan;

import ai.onnxruntime.OrtSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The custom operator {@code linesight::SelectiveScan2D} for ONNX Runtime on the CPU, computed in Java.
 *
 * <p>Checkpoints carry a portable definition of the operator as a model-local function; a session whose options went
 * through {@link #register} uses this operator instead. Sessions that run on another device must not register it: their
 * scans would move to the CPU.
 *
 * <p>Inputs, float32 unless said, with K directions, G groups, D channels per group, C = G*D (channel {@code g*D + d}),
 * N states, L pixels: x [B,L,C]; dt [B,L,K*C] without its bias; Bm and Cm [B,L,K*G*N] (index {@code (k*G + g)*N + n});
 * A [K*C,N], not positive; Dskip [C], summed over the directions; dt_bias [K*C]; order [K,L] int32, the pixel visited
 * at step t. G, N and K follow from the shapes. Output y [B,L,C]: the sum of all directions, each accumulated at the
 * pixel it visits, plus Dskip*x. NaN in an image's input gives NaN in that image only.
 *
 * <p>Threads: safe for concurrent sessions and runs. Results do not depend on the number of threads or on the other
 * images of a batch. Memory: each working thread keeps about 1 MB. The operator lives as long as the process.
 */
public final class SelectiveScanOperator {
    /** Operator domain. */
    public static final String DOMAIN = "linesight";
    /** Operator name. */
    public static final String NAME = "SelectiveScan2D";

    private static final Logger LOG = LoggerFactory.getLogger(SelectiveScanOperator.class);

    private static String unavailable;
    private static boolean checked;

    private SelectiveScanOperator() {}

    /** {@link #register(OrtSession.SessionOptions, int)} with all processors. */
    public static boolean register(OrtSession.SessionOptions options) {
        return register(options, 0);
    }

    /**
     * Makes sessions created with these options use the operator, and {@link NearestPatches} with it.
     *
     * @param threads threads that one scan may use, the caller included; 0 for all processors
     * @return false, with the reason logged once, where the operator cannot work; sessions then run the checkpoint's
     *     own definition
     */
    public static boolean register(OrtSession.SessionOptions options, int threads) {
        if (threads < 0) throw new IllegalArgumentException("threads must not be negative, got " + threads);
        if (!available()) return false;
        try {
            OperatorDomain.register(options, threads == 0 ? Runtime.getRuntime().availableProcessors() : threads);
            return true;
        } catch (ReflectiveOperationException | RuntimeException | LinkageError e) {
            giveUp("it cannot be registered: " + e);
            return false;
        }
    }

    /** Whether the operator works in this process; the reason against it is logged once. */
    public static synchronized boolean available() {
        if (!checked) {
            checked = true;
            String reason = obstacle();
            if (reason != null) giveUp(reason);
        }
        return unavailable == null;
    }

    /** Scans that this process has run through the operator, of all sessions. */
    public static long invocations() {
        return Invocations.COUNT.sum();
    }

    private static synchronized void giveUp(String reason) {
        if (unavailable == null) {
            LOG.warn(
                    "The Java operator {}::{} is off: {}. Scans, and comparisons with remembered images, run the "
                            + "checkpoint's portable definition, about 20 times slower.",
                    DOMAIN,
                    NAME,
                    reason);
        }
        unavailable = reason;
    }

    private static String obstacle() {
        if (ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty()) {
            return "start Java with --add-modules jdk.incubator.vector to use it";
        }
        try {
            int lanes = ScanKernel.LANES;
            if (lanes < 4) return "this processor or Java has no vectors of four floats (" + lanes + ")";
            OperatorDomain.load();
            return null;
        } catch (ReflectiveOperationException | RuntimeException | LinkageError e) {
            return "ONNX Runtime's operator interface cannot be reached: " + e;
        }
    }
}

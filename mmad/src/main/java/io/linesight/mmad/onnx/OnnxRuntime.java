package io.linesight.mmad.onnx;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtProvider;
import ai.onnxruntime.OrtSession;
import com.sun.jna.NativeLibrary;
import io.linesight.mmad.io.NativeLibraries;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * ONNX Runtime, told to keep to itself. From 1.29 on its builds for Linux keep a device id in the user's cache folder
 * and send usage data to its maker unless {@value #SWITCH} is set before it is loaded; a line's machines have nothing
 * to tell anybody. All of Linesight gets the environment here.
 *
 * <p>Everything that loads its natives goes through here. Thread-safe. The environment lives as long as the process;
 * nobody closes it.
 */
public final class OnnxRuntime {
    /** Environment variable that switches its telemetry off. */
    public static final String SWITCH = "ORT_DISABLE_TELEMETRY";

    private static @Nullable OrtEnvironment environment;

    private OnnxRuntime() {}

    /**
     * The environment of this process, loaded at the first call.
     *
     * @throws IllegalStateException with a message for people when it cannot be loaded; the next call tries again
     */
    public static synchronized OrtEnvironment environment() {
        if (environment == null) environment = load();
        return environment;
    }

    /** New options; whoever gets them closes them. Throws as {@link #environment}. */
    public static OrtSession.SessionOptions sessionOptions() {
        environment();
        return new OrtSession.SessionOptions();
    }

    /** Execution providers that this build has. Throws as {@link #environment}. */
    public static Set<OrtProvider> providers() {
        environment();
        return OrtEnvironment.getAvailableProviders();
    }

    private static OrtEnvironment load() {
        NativeLibraries.prepare();
        NativeLibraries.prepareOnnxRuntime(OrtEnvironment.class);
        try {
            return loadSilently();
        } catch (LinkageError e) {
            throw new IllegalStateException(
                    "ONNX Runtime's native libraries cannot be loaded on this machine: " + e.getMessage(), e);
        }
    }

    private static OrtEnvironment loadSilently() {
        // The C library's own copy is what ONNX Runtime reads; Java's System.getenv() does not see the change.
        int failed = NativeLibrary.getProcess().getFunction("setenv").invokeInt(new Object[] {SWITCH, "1", 1});
        if (failed != 0)
            throw new IllegalStateException(SWITCH
                    + " could not be set, so ONNX Runtime was not loaded: it would send usage data. Set it "
                    + "for the whole process and try again");
        OrtEnvironment loaded = OrtEnvironment.getEnvironment();
        try {
            loaded.setTelemetry(false);
        } catch (OrtException e) {
            throw new IllegalStateException(
                    "ONNX Runtime does not let its telemetry be switched off: " + e.getMessage(), e);
        }
        return loaded;
    }
}

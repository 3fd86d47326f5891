package io.linesight.mmad.image;

import com.sun.jna.NativeLibrary;
import io.linesight.mmad.io.NativeLibraries;
import java.io.File;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.opencv.global.opencv_core;
import org.bytedeco.opencv.global.opencv_imgcodecs;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Loads OpenCV once and keeps it from writing to standard error: a damaged frame is reported by exception, not there.
 */
final class OpenCv {
    private static final Logger LOG = LoggerFactory.getLogger(OpenCv.class);
    private static final int SILENT = 0;

    static {
        NativeLibraries.prepare();
        String jni = Loader.load(opencv_core.class);
        Loader.load(opencv_imgcodecs.class);
        silence(jni);
    }

    private OpenCv() {}

    /** Loads the library on the first call; afterwards free. */
    static void load() {
        // The static initialiser does the work, once, for all threads.
    }

    /**
     * The presets leave the log level out, so the exported C++ function is called by its symbol; without it OpenCV is
     * merely chatty.
     */
    private static void silence(String jni) {
        File[] libraries = jni == null
                ? null
                : new File(jni).getParentFile().listFiles((dir, name) -> name.startsWith("libopencv_core.so"));
        if (libraries == null || libraries.length == 0) return;
        try {
            NativeLibrary.getInstance(libraries[0].getPath())
                    .getFunction("_ZN2cv5utils7logging11setLogLevelENS1_8LogLevelE")
                    .invokeInt(new Object[] {SILENT});
        } catch (UnsatisfiedLinkError e) {
            LOG.debug("OpenCV's log level stays as it is: {}", e.getMessage());
        }
    }
}

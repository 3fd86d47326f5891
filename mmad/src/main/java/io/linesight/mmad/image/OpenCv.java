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

    private static volatile boolean loaded;

    private OpenCv() {}

    /**
     * Loads the library on the first call; afterwards all but free.
     *
     * @throws IllegalStateException with a message for people when it cannot be loaded
     */
    static void load() {
        if (!loaded) loadOnce();
    }

    private static synchronized void loadOnce() {
        if (loaded) return;
        NativeLibraries.prepare();
        try {
            String jni = Loader.load(opencv_core.class);
            Loader.load(opencv_imgcodecs.class);
            silence(jni);
        } catch (LinkageError e) {
            throw new IllegalStateException("OpenCV's native libraries cannot be loaded: " + e.getMessage(), e);
        }
        loaded = true;
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

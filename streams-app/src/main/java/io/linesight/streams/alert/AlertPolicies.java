package io.linesight.streams.alert;

import org.jspecify.annotations.Nullable;

/** Which policy holds. Asked for every frame on stream threads: thread-safe, and never waits. */
@FunctionalInterface
public interface AlertPolicies {

    /**
     * @param product null for frames without one, and for what concerns a camera as a whole
     * @return never null; where nothing is set, that of the configuration
     */
    AlertPolicy of(String cameraId, @Nullable String product);
}

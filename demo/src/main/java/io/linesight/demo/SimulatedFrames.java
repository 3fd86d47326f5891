package io.linesight.demo;

import io.linesight.schemas.InspectionResult;

/** From a result back to the simulator's frame. */
final class SimulatedFrames {
    private static final String PREFIX = "camera-";

    private SimulatedFrames() {}

    /** Index of the simulated camera that took the frame; -1 when another camera did. */
    static int cameraOf(InspectionResult result) {
        String id = result.getCameraId();
        return id.startsWith(PREFIX) ? Integer.parseInt(id.substring(PREFIX.length())) - 1 : -1;
    }
}

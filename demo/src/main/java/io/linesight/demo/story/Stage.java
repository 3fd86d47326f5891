package io.linesight.demo.story;

import io.linesight.demo.line.SimulatedCamera;
import io.linesight.simulator.SimulatedLine;

/**
 * Where the story takes place.
 *
 * @param changedCamera index of the camera that gets another lamp
 */
record Stage(SimulatedLine line, int changedCamera, Chapters chapters, Narrator narrator) {
    String changedCameraId() {
        return new SimulatedCamera(line, changedCamera).id();
    }
}

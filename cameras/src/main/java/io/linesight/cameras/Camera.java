package io.linesight.cameras;

import java.util.Optional;

/** A source of images. One thread takes images from one camera. */
public interface Camera {
    /** Key of its frames. */
    String id();

    /** Takes the next image; empty when the camera has no more. */
    Optional<CameraShot> next();

    /** Images that could not be read and were skipped. */
    default long skipped() {
        return 0;
    }
}

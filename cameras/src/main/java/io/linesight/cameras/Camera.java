package io.linesight.cameras;

import java.util.Optional;

/** A source of pictures. One thread takes pictures from one camera. */
public interface Camera {
    /** Key of its frames. */
    String id();

    /** Takes the next picture; empty when the camera has no more. */
    Optional<CameraShot> next();

    /** Pictures that could not be taken and were left out. */
    default long skipped() {
        return 0;
    }
}

package io.linesight.streams.inspect;

import io.linesight.mmad.checkpoint.ProductName;
import io.linesight.schemas.CameraFrame;
import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A camera frame without its pixels, which would otherwise stay in memory until the score is known.
 *
 * @param product in Unicode's normal form C; null where the camera does not say
 * @param attributes what else the camera says
 */
record FrameHeader(
        String frameId,
        String cameraId,
        String lineId,
        @Nullable String product,
        long sequence,
        Instant capturedAt,
        Map<String, String> attributes) {

    static FrameHeader of(CameraFrame frame) {
        return new FrameHeader(
                frame.getFrameId(),
                frame.getCameraId(),
                frame.getLineId(),
                ProductName.of(frame.getProduct()),
                frame.getSequence(),
                frame.getCapturedAt(),
                frame.getAttributes());
    }
}

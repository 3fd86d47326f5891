package io.linesight.streams.inspect;

import io.linesight.schemas.CameraFrame;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** A camera frame without its pixels, which would otherwise stay in memory until the score is known. */
record FrameHeader(
        String frameId, String cameraId, String lineId, @Nullable String product, long sequence, Instant capturedAt) {

    static FrameHeader of(CameraFrame frame) {
        String product = frame.getProduct();
        return new FrameHeader(
                frame.getFrameId(),
                frame.getCameraId(),
                frame.getLineId(),
                product == null || product.isBlank() ? null : product,
                frame.getSequence(),
                frame.getCapturedAt());
    }
}

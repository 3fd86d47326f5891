package io.linesight.streams.inspect;

import io.linesight.schemas.FrameRef;
import org.slf4j.MDC;

/**
 * Names the frame at hand, its camera and the model in every log line of this thread until it is closed: keys
 * {@code camera}, {@code frame}, {@code place} (topic-partition-offset) and {@code model} of the mapped diagnostic
 * context.
 */
final class FrameLog implements AutoCloseable {
    static final String CAMERA = "camera";
    static final String FRAME = "frame";
    static final String PLACE = "place";
    static final String MODEL = "model";

    private FrameLog() {}

    static FrameLog of(String camera, String frame, FrameRef source) {
        MDC.put(CAMERA, camera);
        MDC.put(FRAME, frame);
        MDC.put(PLACE, source.getTopic() + "-" + source.getPartition() + "-" + source.getOffset());
        return new FrameLog();
    }

    FrameLog model(String version) {
        MDC.put(MODEL, version);
        return this;
    }

    @Override
    public void close() {
        for (String key : new String[] {CAMERA, FRAME, PLACE, MODEL}) MDC.remove(key);
    }
}

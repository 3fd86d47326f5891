package io.linesight.cameras;

import io.linesight.schemas.FrameRef;
import org.jspecify.annotations.Nullable;

/** Hears of every frame that a camera publishes. Called on the producer's thread; implementations are thread-safe. */
public interface SentFrames {
    /**
     * A frame as its sender knows it.
     *
     * @param sequence per camera, from 0; -1 when it has none
     * @param product null when the camera does not know
     * @param anomalous null when nobody knows
     * @param defect kind of defect; null when nobody knows
     */
    record SentFrame(
            String cameraId,
            long sequence,
            @Nullable String product,
            @Nullable Boolean anomalous,
            @Nullable String defect) {}

    /** Kafka has acknowledged the frame. */
    void sent(FrameRef ref, SentFrame frame);

    /** A frame could not be handed to Kafka. It was never on the line, so it counts neither as sent nor as lost. */
    void rejected();
}

package io.linesight.cameras;

import io.linesight.schemas.FrameRef;

/** Is told of every frame that a camera publishes. Called on the producer's thread; implementations are thread-safe. */
public interface SentFrames {
    /**
     * A frame as its sender knows it.
     *
     * @param sequence per camera, from 0; -1 when it has none
     * @param product null when the camera does not know
     * @param anomalous null when nobody knows
     * @param defect kind of defect; null when nobody knows
     */
    record SentFrame(String cameraId, long sequence, String product, Boolean anomalous, String defect) {}

    /** Kafka has acknowledged the frame. */
    void sent(FrameRef ref, SentFrame frame);

    /** A frame could not be handed to Kafka: it was never on the line, so it is neither a frame nor lost. */
    void rejected();
}

package io.linesight.streams.batching;

import io.linesight.mmad.checkpoint.CheckpointInfo;
import java.time.Instant;

/**
 * What the model said about one frame.
 *
 * @param raw image score, uncalibrated; NaN when the model returned NaN or when {@code failure} is set
 * @param map smoothed anomaly map, row-major, {@code mapSize * mapSize}; null exactly when {@code failure} is set
 * @param mapSize side of the map in pixels
 * @param failure why inference failed on this frame even alone; null when it did not
 * @param model the model that scored it
 * @param queueNanos from submission to the start of the batch
 * @param inferenceNanos wall time of the whole batch, repeated attempts included
 * @param batchSize frames in the batch
 * @param scoredAt end of the batch
 */
public record Inference(
        float raw,
        float[] map,
        int mapSize,
        String failure,
        CheckpointInfo model,
        long queueNanos,
        long inferenceNanos,
        int batchSize,
        Instant scoredAt) {

    public boolean failed() {
        return failure != null;
    }
}

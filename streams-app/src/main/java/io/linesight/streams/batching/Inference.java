package io.linesight.streams.batching;

import io.linesight.mmad.checkpoint.CheckpointInfo;
import java.time.Instant;

/**
 * A model's answer for one frame, and how it came about.
 *
 * @param model the model that scored it
 * @param queueNanos from submission to the start of the batch
 * @param inferenceNanos wall time of the whole batch, retries included
 * @param batchSize frames in the batch
 * @param scoredAt end of the batch
 */
public record Inference(
        Answer answer, CheckpointInfo model, long queueNanos, long inferenceNanos, int batchSize, Instant scoredAt) {

    public boolean failed() {
        return !(answer instanceof Answer.Scored);
    }

    /** Image score, uncalibrated; NaN when the model returned NaN or inference failed. */
    public float raw() {
        return answer instanceof Answer.Scored scored ? scored.raw() : Float.NaN;
    }

    /** Wall time of the batch per frame. */
    public long nanosPerFrame() {
        return inferenceNanos / batchSize;
    }
}

package io.linesight.streams.batching;

import io.linesight.mmad.checkpoint.CheckpointInfo;
import java.util.function.IntSupplier;

/** Told about every batch, on the inference thread: implementations must be quick and must not throw. */
public interface BatchListener {

    /** Called once, with a live view of the number of frames that wait for a batch. */
    default void onStart(IntSupplier queued) {}

    /** A batch is done; {@code failed} of its {@code size} frames got no score. */
    default void onBatch(int size, int failed, long inferenceNanos) {}

    /** A whole batch failed and its frames are tried again one by one. */
    default void onRetry(int size, RuntimeException cause) {}

    /**
     * A batch is about to be scored by another model than the one before it.
     *
     * @param pauseNanos from the end of the old model's last batch, or from the arrival of the first waiting frame
     *     where that is later, to this moment; 0 for the first model
     */
    default void onModel(CheckpointInfo model, long pauseNanos) {}

    BatchListener NONE = new BatchListener() {};
}

package io.linesight.streams.batching;

import java.util.concurrent.CompletableFuture;

/**
 * A frame on its way to the model.
 *
 * @param pixels planar RGB; not copied
 * @param queuedAt {@link System#nanoTime} of its submission
 * @param result completed by the batcher
 */
record QueuedFrame(String lane, byte[] pixels, long queuedAt, CompletableFuture<Inference> result) {}

package io.linesight.streams.batching;

import java.util.concurrent.CompletableFuture;

/**
 * A frame on its way to the model.
 *
 * @param views what models look at; not copied
 * @param queuedAt {@link System#nanoTime} of its submission
 * @param result completed by the batcher
 */
record QueuedFrame(String lane, FrameViews views, long queuedAt, CompletableFuture<Inference> result) {}

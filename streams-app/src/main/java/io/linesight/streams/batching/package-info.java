/** Gathers the frames of all cameras into batches for one model, and scores them so that no model loses a frame. */
@NullMarked
package io.linesight.streams.batching;

import org.jspecify.annotations.NullMarked;

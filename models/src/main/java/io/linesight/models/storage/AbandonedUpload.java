package io.linesight.models.storage;

import java.time.Instant;
import java.util.List;

/**
 * Chunks in Kafka that no manifest names: an upload that was cut off, or chunks that a removal left behind.
 *
 * @param sha256 of the content, as the keys have it
 * @param indices chunks that are there
 * @param bytes about how much they hold
 * @param newest when the last of them was written
 */
public record AbandonedUpload(String sha256, List<Integer> indices, long bytes, Instant newest) {}

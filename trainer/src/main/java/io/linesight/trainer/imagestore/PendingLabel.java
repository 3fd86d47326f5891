package io.linesight.trainer.imagestore;

import java.time.Instant;

/**
 * A label whose frame is not in Kafka yet.
 *
 * @param frame key of the frame
 * @param label the record as bytes; the store does not decode it
 * @param position in the labels topic
 * @param since when the frame was first requested
 */
public record PendingLabel(String frame, byte[] label, LabelPosition position, Instant since) {}

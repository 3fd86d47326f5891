package io.linesight.streams.offsets;

import org.jspecify.annotations.Nullable;

/**
 * What is known of one partition of frames before it is read.
 *
 * @param begin oldest offset that is kept
 * @param end offset behind the newest frame
 * @param committed next offset to read as the group has it; null when it has none
 * @param answered offset of the newest frame of this topic that has an answer; null when none is known
 */
record PartitionState(long begin, long end, @Nullable Long committed, @Nullable Long answered) {}

package io.linesight.trainer.imagestore;

import org.jspecify.annotations.Nullable;

/**
 * Where a label lies in the labels topic.
 *
 * @param partition of the labels topic; negative for images that come from elsewhere
 * @param offset in that partition
 */
public record LabelPosition(int partition, long offset) {
    /** Of an image that has no record in the labels topic. */
    public static final LabelPosition NONE = new LabelPosition(-1, -1);

    /** Whether this position is in the topic, and the other one is the same or lies behind it. */
    boolean isNotAfter(@Nullable LabelPosition other) {
        return partition >= 0 && other != null && partition == other.partition && offset <= other.offset;
    }
}

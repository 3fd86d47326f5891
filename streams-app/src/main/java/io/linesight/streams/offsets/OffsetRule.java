package io.linesight.streams.offsets;

import org.jspecify.annotations.Nullable;

/**
 * Where a partition's inspection begins when the group's offset cannot be right. Kafka would silently start at one of
 * the ends: every frame that is kept would be answered again, or new ones would never be.
 */
final class OffsetRule {

    /** What the answers say about the topic of frames. */
    enum Topic {
        /** Answers name this topic, or no answer names any. */
        SAME,
        /** Answers name topics, and this is none of them: it was deleted and made again. */
        RECREATED
    }

    /** Why an offset is set again. */
    enum Reason {
        RECREATED("the topic was deleted and created again; it is inspected from its beginning"),
        EXPIRED("the group's offset is gone (Kafka forgets it 7 days after the last member, or it was deleted); the "
                + "inspection continues behind the last frame that has an answer"),
        BEHIND("retention has deleted frames before they were inspected; the inspection continues with the oldest "
                + "that is kept"),
        BEYOND("the group's offset lies behind the end of the topic; frames were lost on the brokers, or the topic "
                + "was replaced");

        private final String text;

        Reason(String text) {
            this.text = text;
        }

        /** For people. */
        String text() {
            return text;
        }
    }

    /**
     * @param offset next offset to read
     * @param passed frames that were deleted before they were inspected
     */
    record Correction(long offset, Reason reason, long passed) {
        Correction(long offset, Reason reason) {
            this(offset, reason, 0);
        }
    }

    private OffsetRule() {}

    /** The offset to set; null where the group's own counts, or where nothing was ever read. */
    static @Nullable Correction correct(Topic topic, PartitionState p) {
        Long committed = p.committed();
        Long answered = p.answered();
        if (topic == Topic.RECREATED)
            // Set even where nothing is committed: auto.offset.reset=latest would pass over the frames that are there.
            return committed != null && committed == p.begin() ? null : new Correction(p.begin(), Reason.RECREATED);
        if (committed == null) return answered == null ? null : new Correction(within(answered + 1, p), Reason.EXPIRED);
        if (committed < p.begin()) return new Correction(p.begin(), Reason.BEHIND, p.begin() - committed);
        if (committed > p.end())
            return new Correction(answered == null ? p.begin() : within(answered + 1, p), Reason.BEYOND);
        return null;
    }

    private static long within(long offset, PartitionState p) {
        return Math.max(p.begin(), Math.min(p.end(), offset));
    }
}

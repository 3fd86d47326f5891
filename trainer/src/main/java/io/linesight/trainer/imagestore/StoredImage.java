package io.linesight.trainer.imagestore;

import java.time.Instant;

/**
 * One picture in the store.
 *
 * @param frame key of its frame, or any unique name for an imported one
 * @param product product it shows
 * @param anomalous what it counts as
 * @param origin who says so
 * @param annotator who labelled it; empty for {@link LabelSource#RESERVOIR}
 * @param labelledAt when
 * @param sha256 of the picture's bytes, lower-case hex: its name in the store
 * @param mask SHA-256 of its mask, or null
 * @param side what it may be used for
 * @param sequence order in which the store learned of it
 */
public record StoredImage(
        String frame,
        String product,
        boolean anomalous,
        LabelSource origin,
        String annotator,
        Instant labelledAt,
        String sha256,
        String mask,
        Split side,
        long sequence) {
    /** How the frame of an imported picture begins. */
    static final String IMPORTED = "import/";

    /** Whether a person labelled this frame of the line: what was imported is no news, however it was labelled. */
    public boolean labelledOnTheLine() {
        return origin == LabelSource.PERSON && !frame.startsWith(IMPORTED);
    }
}

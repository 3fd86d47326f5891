package io.linesight.trainer.imagestore;

import io.linesight.mmad.checkpoint.ProductName;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One image in the store, with its latest label.
 *
 * @param frame key of its frame, or any unique name for an imported image
 * @param product product it shows, in Unicode's normal form C
 * @param anomalous its label
 * @param origin who labelled it
 * @param annotator name of the person; empty for {@link LabelSource#RESERVOIR}
 * @param labelledAt when it was labelled
 * @param sha256 of the image's bytes, lower-case hex: its name in the store
 * @param mask SHA-256 of its mask; null without one
 * @param split what it may be used for
 * @param sequence order in which the store received it
 */
public record StoredImage(
        String frame,
        String product,
        boolean anomalous,
        LabelSource origin,
        String annotator,
        Instant labelledAt,
        String sha256,
        @Nullable String mask,
        Split split,
        long sequence) {
    public StoredImage {
        product = ProductName.normalized(product);
    }

    /** Prefix of the frame key of an imported image. */
    static final String IMPORTED = "import/";

    /** Whether a person labelled this frame of the line. Imported images are not new, whoever labelled them. */
    public boolean labelledOnTheLine() {
        return origin == LabelSource.PERSON && !frame.startsWith(IMPORTED);
    }

    /** Names of its files: the image and, where there is one, the mask. */
    List<String> files() {
        return mask == null ? List.of(sha256) : List.of(sha256, mask);
    }
}

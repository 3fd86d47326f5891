package io.linesight.mmad.checkpoint;

import java.text.Normalizer;
import org.jspecify.annotations.Nullable;

/**
 * Spelling of product names. A file system may hand out {@code ä} as two characters where a camera sends one, and both
 * mean the same product, so names are compared in Unicode's normal form C.
 */
public final class ProductName {
    private ProductName() {}

    /** The name in normal form C; null when there is none or it is blank. */
    public static @Nullable String of(@Nullable String name) {
        return name == null || name.isBlank() ? null : normalized(name);
    }

    /** The name in normal form C. */
    public static String normalized(String name) {
        return Normalizer.normalize(name, Normalizer.Form.NFC);
    }
}

package io.linesight.schemas.topics;

import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/** Names of cameras, as the keys of frames have them; anybody may write a key of any length and content. */
public final class CameraNames {

    /** Stands for the camera of records without a key. */
    public static final String KEYLESS = "(no key)";

    /** Of the name that is shown. */
    private static final int MAX_LENGTH = 100;

    private static final int KEPT = 60;

    private CameraNames() {}

    /**
     * The name for a table or a log: on one line, without characters that steer a terminal, and no longer than
     * {@value #MAX_LENGTH} characters. Two long names that begin alike stay two.
     *
     * @param key of a frame, UTF-8; null for a record without one
     */
    public static String shown(byte @Nullable [] key) {
        if (key == null) return KEYLESS;
        // What is cut off need not be decoded: four bytes a character at most.
        String name = new String(key, 0, Math.min(key.length, 4 * MAX_LENGTH), StandardCharsets.UTF_8)
                .replaceAll("[\\p{Cntrl}\\p{Cf}\\u2028\\u2029]", "\uFFFD");
        if (key.length <= 4 * MAX_LENGTH && name.length() <= MAX_LENGTH) return name;
        CRC32C sum = new CRC32C();
        sum.update(key);
        int end = Math.min(KEPT, name.length());
        if (Character.isHighSurrogate(name.charAt(end - 1))) end--;
        return name.substring(0, end) + "... (" + key.length + " bytes, " + Long.toHexString(sum.getValue()) + ")";
    }
}

package io.linesight.models.storage;

import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Key of a record in the chunk topic, {@code <sha256>/<5-digit index>}.
 *
 * @param sha256 of the whole checkpoint, lower-case hex
 * @param index of the chunk, from 0
 */
record ChunkKey(String sha256, int index) {
    /** Exclusive limit of the number of chunks. */
    static final int MAX_CHUNKS = 100_000;

    private static final int LENGTH = 70;
    private static final int HASH_LENGTH = 64;
    private static final Pattern FORM = Pattern.compile("[0-9a-f]{64}/[0-9]{5}");

    byte[] bytes() {
        return String.format(Locale.ROOT, "%s/%05d", sha256, index).getBytes(StandardCharsets.US_ASCII);
    }

    /** Null when this is no key of a chunk: anybody may write to the topic. */
    static @Nullable ChunkKey parse(byte @Nullable [] bytes) {
        if (bytes == null || bytes.length != LENGTH) return null;
        String key = new String(bytes, StandardCharsets.ISO_8859_1);
        return FORM.matcher(key).matches()
                ? new ChunkKey(key.substring(0, HASH_LENGTH), Integer.parseInt(key, HASH_LENGTH + 1, LENGTH, 10))
                : null;
    }
}

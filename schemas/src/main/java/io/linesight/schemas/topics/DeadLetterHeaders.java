package io.linesight.schemas.topics;

import io.linesight.schemas.DeadLetterCode;
import io.linesight.schemas.DeadLetterReason;
import io.linesight.schemas.FrameRef;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.jspecify.annotations.Nullable;

/**
 * Headers of a dead letter. The record itself is the original one, key, value and headers untouched, unless
 * {@link #SHORTENED} says otherwise; these say why it was put aside and where it came from. All values are UTF-8 text.
 */
public final class DeadLetterHeaders {

    /** Name of a {@link DeadLetterCode}. */
    public static final String CODE = "linesight.error.code";
    /** For people, at most {@value #MAX_MESSAGE_CHARS} characters. */
    public static final String MESSAGE = "linesight.error.message";

    /**
     * What of the original is left out, because it would not fit the topic; the whole lies at the source. Absent where
     * nothing is.
     */
    public static final String SHORTENED = "linesight.error.shortened";

    public static final String SOURCE_TOPIC = "linesight.source.topic";
    public static final String SOURCE_PARTITION = "linesight.source.partition";
    public static final String SOURCE_OFFSET = "linesight.source.offset";

    /**
     * Longer messages are cut, so that a hostile record cannot outgrow the topic's limit through its own error text.
     */
    public static final int MAX_MESSAGE_CHARS = 2000;

    private DeadLetterHeaders() {}

    /** Replaces the dead-letter headers in {@code headers} by these. */
    public static void write(
            Headers headers, DeadLetterCode code, @Nullable String message, String topic, int partition, long offset) {
        String text = message == null ? "" : message;
        put(headers, CODE, code.name());
        put(headers, MESSAGE, cut(text, MAX_MESSAGE_CHARS));
        put(headers, SOURCE_TOPIC, topic);
        put(headers, SOURCE_PARTITION, Integer.toString(partition));
        put(headers, SOURCE_OFFSET, Long.toString(offset));
    }

    /** Says what of the original is left out; at most 256 characters of it. */
    public static void writeShortened(Headers headers, String what) {
        put(headers, SHORTENED, cut(what, 256));
    }

    private static String cut(String text, int max) {
        return text.length() <= max ? text : text.substring(0, max - 1) + "…";
    }

    /**
     * The reason a dead letter carries; empty where the headers are absent or not ours. A code from a newer version
     * reads as UNKNOWN.
     */
    public static Optional<DeadLetterReason> read(Headers headers) {
        String code = text(headers, CODE);
        String topic = text(headers, SOURCE_TOPIC);
        if (code == null || topic == null) {
            return Optional.empty();
        }
        try {
            FrameRef source = new FrameRef(
                    topic,
                    Integer.parseInt(text(headers, SOURCE_PARTITION)),
                    Long.parseLong(text(headers, SOURCE_OFFSET)));
            String message = text(headers, MESSAGE);
            return Optional.of(new DeadLetterReason(code(code), message == null ? "" : message, source));
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }

    private static DeadLetterCode code(String name) {
        try {
            return DeadLetterCode.valueOf(name);
        } catch (IllegalArgumentException e) {
            return DeadLetterCode.UNKNOWN;
        }
    }

    private static void put(Headers headers, String key, String value) {
        headers.remove(key);
        headers.add(key, value.getBytes(StandardCharsets.UTF_8));
    }

    private static @Nullable String text(Headers headers, String key) {
        Header header = headers.lastHeader(key);
        return header == null || header.value() == null ? null : new String(header.value(), StandardCharsets.UTF_8);
    }
}

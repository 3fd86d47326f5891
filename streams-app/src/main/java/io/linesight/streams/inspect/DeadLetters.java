package io.linesight.streams.inspect;

import io.linesight.mmad.image.BadImageException;
import io.linesight.schemas.DeadLetterCode;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.topics.DeadLetterHeaders;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.processor.api.Record;

/** Builds dead letters: the original record, bytes and headers untouched, with the reason in additional headers. */
final class DeadLetters {

    private DeadLetters() {}

    /** Kafka's own framing of a batch with one record, generously. */
    private static final int FRAMING_BYTES = 1024;

    /**
     * The record to write to the dead-letter topic; {@code original} is not changed.
     *
     * @param maxBytes what the topic takes. A record that would not fit (a frames topic with a larger limit than
     *     configured here) goes without its value, and its message tells: the source headers tell where it lies, and
     *     the app must not fail on it for ever
     */
    public static Record<byte[], byte[]> of(
            Record<byte[], byte[]> original, FrameRef source, DeadLetterCode code, String message, int maxBytes) {
        Headers headers = new RecordHeaders(original.headers().toArray());
        byte[] value = original.value();
        String text = message;
        if (value != null && value.length + overhead(original) > maxBytes) {
            text = "The value of " + value.length
                    + " bytes is too large for the dead-letter topic and stays at its source. " + message;
            value = null;
        }
        DeadLetterHeaders.write(headers, code, text, source.getTopic(), source.getPartition(), source.getOffset());
        return new Record<>(original.key(), value, original.timestamp(), headers);
    }

    private static long overhead(Record<byte[], byte[]> original) {
        long bytes = FRAMING_BYTES
                + 4L * DeadLetterHeaders.MAX_MESSAGE_CHARS
                + (original.key() == null ? 0 : original.key().length);
        for (Header header : original.headers()) {
            bytes += 2L * header.key().length() + 16 + (header.value() == null ? 0 : header.value().length);
        }
        return bytes;
    }

    /** Vocabulary of the image codec in that of the dead-letter topic. */
    public static DeadLetterCode code(BadImageException.Code code) {
        return switch (code) {
            case EMPTY -> DeadLetterCode.EMPTY_IMAGE;
            case UNSUPPORTED -> DeadLetterCode.UNSUPPORTED_ENCODING;
            case TOO_LARGE -> DeadLetterCode.IMAGE_TOO_LARGE;
            case CORRUPT -> DeadLetterCode.CORRUPT_IMAGE;
            case SIZE_MISMATCH -> DeadLetterCode.SIZE_MISMATCH;
        };
    }
}

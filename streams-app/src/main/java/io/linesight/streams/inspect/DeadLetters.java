package io.linesight.streams.inspect;

import io.linesight.mmad.image.BadImageException;
import io.linesight.schemas.DeadLetterCode;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.topics.DeadLetterHeaders;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.processor.api.Record;

/**
 * Builds dead letters: the original record, bytes and headers untouched, with the reason in additional headers. A
 * record that would not fit the topic is shortened until it does, because the app must not fail on it for ever; the
 * letter says what was left out, and where the whole record lies.
 */
final class DeadLetters {

    /** What stays of a header or key that is shortened, in bytes. */
    private static final int SHORTENED = 1024;

    /** Room for our own headers. */
    private static final long REASON = 4L * DeadLetterHeaders.MAX_MESSAGE_CHARS + 3 * SHORTENED;

    private static final int MAX_HEADERS = 100;
    /** Of a header's name; its UTF-8 has up to three times as many bytes. */
    private static final int MAX_NAME = 128;

    private DeadLetters() {}

    /**
     * The record to write to the dead-letter topic; {@code original} is not changed.
     *
     * @param maxBytes what the topic takes; at least 64 KiB more than what the reason needs
     */
    public static Record<byte[], byte[]> of(
            Record<byte[], byte[]> original, FrameRef source, DeadLetterCode code, String message, long maxBytes) {
        Shortening s = new Shortening(original, maxBytes - REASON);
        s.shorten();
        Headers headers = new RecordHeaders(s.headers);
        String text = s.valueLeftOut == 0
                ? message
                : "The value of " + s.valueLeftOut
                        + " bytes is too large for the dead-letter topic and stays at its source. " + message;
        DeadLetterHeaders.write(headers, code, text, source.getTopic(), source.getPartition(), source.getOffset());
        headers.remove(DeadLetterHeaders.SHORTENED);
        if (!s.what.isEmpty()) DeadLetterHeaders.writeShortened(headers, String.join("; ", s.what));
        return new Record<>(s.key, s.value, original.timestamp(), headers);
    }

    /** Leaves out no more than has to be: headers first, then the key, the value last. */
    private static final class Shortening {
        private final long room;
        private final List<String> what = new ArrayList<>();
        private byte[] key;
        private byte[] value;
        private Header[] headers;
        private int valueLeftOut;

        Shortening(Record<byte[], byte[]> original, long room) {
            this.room = room;
            key = original.key();
            value = original.value();
            headers = original.headers().toArray();
        }

        void shorten() {
            if (fits()) return;
            shortenHeaders();
            if (!fits() && key != null && key.length > SHORTENED) {
                what.add("the key of " + key.length + " bytes to its first " + SHORTENED);
                key = Arrays.copyOf(key, SHORTENED);
            }
            if (!fits() && value != null && value.length > 0) {
                what.add("the value of " + value.length + " bytes is left out");
                valueLeftOut = value.length;
                value = null;
            }
        }

        private boolean fits() {
            return RecordSize.of(key, value, new RecordHeaders(headers)) <= room;
        }

        private void shortenHeaders() {
            List<Header> kept = new ArrayList<>();
            int cut = 0;
            for (Header header : headers) {
                if (kept.size() == MAX_HEADERS) break;
                Header shorter = shortened(header);
                if (shorter != header) {
                    if (cut++ == 0)
                        what.add("header " + shorter.key() + " of " + RecordSize.of(header) + " bytes to its first "
                                + SHORTENED);
                }
                kept.add(shorter);
            }
            if (cut > 1) what.add(cut - 1 + " more headers likewise");
            if (headers.length > kept.size())
                what.add(headers.length - kept.size() + " of " + headers.length + " headers are left out");
            headers = kept.toArray(new Header[0]);
        }

        private static Header shortened(Header header) {
            String name = header.key();
            byte[] bytes = header.value();
            if (name.length() <= MAX_NAME && (bytes == null || bytes.length <= SHORTENED)) return header;
            return new RecordHeader(
                    name.length() <= MAX_NAME ? name : name.substring(0, MAX_NAME),
                    bytes == null || bytes.length <= SHORTENED ? bytes : Arrays.copyOf(bytes, SHORTENED));
        }
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

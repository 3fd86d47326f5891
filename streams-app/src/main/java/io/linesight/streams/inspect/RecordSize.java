package io.linesight.streams.inspect;

import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;

/** How many bytes a record takes on its way to a topic, uncompressed and with a batch of its own: an upper bound. */
final class RecordSize {

    /** Kafka's framing (61 bytes of the batch, 21 of the record, 5 a length) and our own small headers; generously. */
    private static final long FRAMING = 512;

    private static final long HEADER_FRAMING = 10;

    private RecordSize() {}

    static long of(byte[] key, byte[] value, Headers headers) {
        long bytes = FRAMING + (key == null ? 0 : key.length) + (value == null ? 0 : value.length);
        for (Header header : headers) bytes += of(header);
        return bytes;
    }

    static long of(Header header) {
        return HEADER_FRAMING
                + header.key().getBytes(StandardCharsets.UTF_8).length
                + (header.value() == null ? 0 : header.value().length);
    }
}

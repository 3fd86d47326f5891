package io.linesight.schemas.serde;

import io.linesight.schemas.DeadLetterCode;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.UUID;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.jspecify.annotations.Nullable;

/**
 * Confluent's wire formats. Before the value: 0x00, schema id (4 bytes, big endian), Avro binary; or 0x01, the schema's
 * GUID (16 bytes), Avro binary. In a record header ({@value #VALUE_HEADER}, {@value #KEY_HEADER}; serializers from
 * Confluent 8): the same bytes there, and the value is nothing but Avro binary.
 *
 * @param id the schema's {@link Integer} id or {@link UUID}
 * @param start where Avro binary begins in the value
 */
record Wire(Object id, int start) {

    static final int MAGIC = 0;
    static final int HEADER = 5;
    static final String VALUE_HEADER = "__value_schema_id";
    static final String KEY_HEADER = "__key_schema_id";

    private static final int GUID_MAGIC = 1;
    private static final int GUID_HEADER = 17;
    private static final int LONG_ID_HEADER = 9;

    /** For messages. */
    String name() {
        return id instanceof Integer ? "schema id " + id : "schema " + id;
    }

    /**
     * Where the schema is named.
     *
     * @throws BadRecordException EMPTY_RECORD or NOT_CONFLUENT_WIRE
     */
    static Wire of(String topic, @Nullable Headers headers, byte[] bytes, boolean key) {
        Object inHeader = inHeader(headers, key);
        if (inHeader != null) return new Wire(inHeader, 0);
        if (bytes.length == 0) {
            throw new BadRecordException(DeadLetterCode.EMPTY_RECORD, "the record of topic " + topic + " has no bytes");
        }
        Wire wire = before(bytes);
        if (wire != null) return wire;
        throw new BadRecordException(DeadLetterCode.NOT_CONFLUENT_WIRE, foreign(topic, headers, bytes, key));
    }

    /** The id or GUID that a record names, looked at only; null where {@link #of} would throw. */
    static @Nullable Object peek(@Nullable Headers headers, byte[] bytes, boolean key) {
        Object inHeader = inHeader(headers, key);
        if (inHeader != null) return inHeader;
        Wire wire = before(bytes);
        return wire == null ? null : wire.id;
    }

    /** The value with the id from its header before it; as it is where the id stands there already. */
    static byte[] withId(Headers headers, byte[] value) {
        if (inHeader(headers, false) == null) return value;
        byte[] id = headers.lastHeader(VALUE_HEADER).value();
        byte[] whole = Arrays.copyOf(id, id.length + value.length);
        System.arraycopy(value, 0, whole, id.length, value.length);
        return whole;
    }

    /** A value as {@link #withId} gives it, taken apart again where only a header can hold the id. */
    record Kept(Headers headers, byte[] value) {}

    /** A GUID before a value has to look like one; in a header any is taken, so it goes back there. */
    static Kept kept(byte[] value) {
        Headers headers = new RecordHeaders();
        if (value.length < GUID_HEADER || value[0] != GUID_MAGIC) return new Kept(headers, value);
        headers.add(VALUE_HEADER, Arrays.copyOf(value, GUID_HEADER));
        return new Kept(headers, Arrays.copyOfRange(value, GUID_HEADER, value.length));
    }

    private static @Nullable Object inHeader(@Nullable Headers headers, boolean key) {
        if (headers == null) return null;
        Header header = headers.lastHeader(key ? KEY_HEADER : VALUE_HEADER);
        return header == null || header.value() == null ? null : read(header.value(), true);
    }

    private static @Nullable Wire before(byte[] bytes) {
        Object id = read(bytes, false);
        return id == null ? null : new Wire(id, id instanceof Integer ? HEADER : GUID_HEADER);
    }

    /** @param alone whether the bytes hold the id and nothing else */
    private static @Nullable Object read(byte[] bytes, boolean alone) {
        if (bytes.length == 0) return null;
        if (bytes[0] == MAGIC && (alone ? bytes.length == HEADER : bytes.length >= HEADER)) {
            int id = ByteBuffer.wrap(bytes, 1, 4).getInt();
            // No registry gives the id 0: these are the upper half of 8 bytes.
            return id == 0 && bytes.length >= LONG_ID_HEADER ? null : (Object) id;
        }
        if (bytes[0] == GUID_MAGIC && (alone ? bytes.length == GUID_HEADER : bytes.length >= GUID_HEADER)) {
            UUID guid = new UUID(
                    ByteBuffer.wrap(bytes, 1, 8).getLong(),
                    ByteBuffer.wrap(bytes, 9, 8).getLong());
            // Of other bytes that happen to begin with 0x01, one in hundreds has version and variant of a GUID.
            return alone || guid.version() >= 1 && guid.version() <= 8 && guid.variant() == 2 ? guid : null;
        }
        return null;
    }

    private static boolean hasApicurioHeaders(@Nullable Headers headers, boolean key) {
        if (headers == null) return false;
        String prefix = key ? "apicurio.key." : "apicurio.value.";
        return headers.lastHeader(prefix + "globalId") != null
                || headers.lastHeader(prefix + "contentId") != null
                || headers.lastHeader(prefix + "artifactId") != null;
    }

    private static String foreign(String topic, @Nullable Headers headers, byte[] bytes, boolean key) {
        String what = "the record of topic " + topic + " (" + bytes.length + " bytes, first 0x"
                + String.format("%02x", bytes[0]) + ") is not in Confluent's wire format: ";
        String remedy = ". Set apicurio.registry.as-confluent=true and apicurio.registry.headers.enabled=false at the "
                + "producer (Apicurio 3: apicurio.registry.headers.enabled=false)";
        if (hasApicurioHeaders(headers, key))
            return what + "its schema is named in Apicurio's own headers (apicurio." + (key ? "key" : "value") + ".…)"
                    + remedy;
        if (bytes[0] == MAGIC
                && bytes.length >= LONG_ID_HEADER
                && ByteBuffer.wrap(bytes, 1, 8).getLong() > 0)
            return what + "it begins with 0x00 and an id of 8 bytes ("
                    + ByteBuffer.wrap(bytes, 1, 8).getLong() + "), as Apicurio's serializers write it" + remedy;
        return what + "0x00, schema id in 4 bytes, Avro";
    }
}

package io.linesight.schemas.serde;

import io.linesight.schemas.DeadLetterCode;
import java.nio.ByteBuffer;

/** Confluent's wire format: 0x00, schema id (4 bytes, big endian), Avro binary. */
final class Wire {

    static final int MAGIC = 0;
    static final int HEADER = 5;

    private Wire() {}

    /**
     * @return the schema id
     * @throws BadRecordException EMPTY_RECORD or NOT_CONFLUENT_WIRE
     */
    static int schemaId(String topic, byte[] bytes) {
        if (bytes.length == 0) {
            throw new BadRecordException(DeadLetterCode.EMPTY_RECORD, "the record of topic " + topic + " has no bytes");
        }
        if (bytes[0] != MAGIC || bytes.length < HEADER) {
            throw new BadRecordException(
                    DeadLetterCode.NOT_CONFLUENT_WIRE,
                    "the record of topic " + topic + " (" + bytes.length
                            + " bytes, first 0x" + String.format("%02x", bytes[0])
                            + ") is not in Confluent's wire format: 0x00, schema id in 4 bytes, Avro");
        }
        return ByteBuffer.wrap(bytes, 1, 4).getInt();
    }
}

package io.linesight.streams.inspect;

import io.linesight.schemas.CameraFrame;
import io.linesight.schemas.DeadLetterCode;
import io.linesight.schemas.serde.BadRecordException;
import io.linesight.schemas.serde.SerdeFactory;
import java.util.Map;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.Deserializer;
import org.jspecify.annotations.Nullable;

/** Bytes of the frames topic to a frame whose text is of sane length; waits for the registry. */
final class FrameReader {

    /** Results repeat these fields, and a result has to fit its topic. */
    static final int MAX_TEXT = 1024;

    static final int MAX_ATTRIBUTES = 64;
    /** Characters of all names and values of a frame's attributes. */
    static final int MAX_ATTRIBUTE_TEXT = 8192;

    private final String topic;
    private final Deserializer<CameraFrame> deserializer;
    private final RegistryRetry registry;
    private final SchemaInquiry inquiry;

    FrameReader(String topic, Deserializer<CameraFrame> deserializer, RegistryRetry registry, SchemaInquiry inquiry) {
        this.topic = topic;
        this.deserializer = deserializer;
        this.registry = registry;
        this.inquiry = inquiry;
    }

    /**
     * @throws BadRecordException when these bytes are not a frame and never will be
     * @throws RegistryUnavailableException when the registry cannot tell in time
     * @throws io.linesight.schemas.registry.RegistryException when waiting would not help
     */
    CameraFrame read(Headers headers, byte @Nullable [] value) {
        if (value == null) throw new BadRecordException(DeadLetterCode.EMPTY_RECORD, "the record has no value (null)");
        Object schema = SerdeFactory.schemaOf(headers, value);
        if (schema != null && inquiry.isUnknown(schema)) {
            // Asking once more here would make the thread wait in an outage.
            throw new BadRecordException(
                    DeadLetterCode.UNKNOWN_SCHEMA, "the registry does not know " + SchemaInquiry.name(schema));
        }
        CameraFrame frame = registry.call(() -> deserializer.deserialize(topic, headers, value));
        if (frame == null) throw new BadRecordException(DeadLetterCode.EMPTY_RECORD, "the record has no value");
        checkLength("frameId", frame.getFrameId());
        checkLength("cameraId", frame.getCameraId());
        checkLength("lineId", frame.getLineId());
        checkLength("product", frame.getProduct());
        checkAttributes(frame.getAttributes());
        return frame;
    }

    private static void checkAttributes(Map<String, String> attributes) {
        if (attributes.size() > MAX_ATTRIBUTES) {
            throw new BadRecordException(
                    DeadLetterCode.CORRUPT_RECORD,
                    "the frame has " + attributes.size() + " attributes; at most " + MAX_ATTRIBUTES + " are accepted");
        }
        int sum = 0;
        for (Map.Entry<String, String> attribute : attributes.entrySet()) {
            checkLength("an attribute's name", attribute.getKey());
            checkLength("attribute " + attribute.getKey(), attribute.getValue());
            sum += attribute.getKey().length() + attribute.getValue().length();
        }
        if (sum > MAX_ATTRIBUTE_TEXT) {
            throw new BadRecordException(
                    DeadLetterCode.CORRUPT_RECORD,
                    "the frame's attributes have " + sum + " characters; at most " + MAX_ATTRIBUTE_TEXT
                            + " are accepted");
        }
    }

    private static void checkLength(String field, String text) {
        if (text != null && text.length() > MAX_TEXT) {
            throw new BadRecordException(
                    DeadLetterCode.CORRUPT_RECORD,
                    field + " has " + text.length() + " characters; at most " + MAX_TEXT + " are accepted");
        }
    }
}

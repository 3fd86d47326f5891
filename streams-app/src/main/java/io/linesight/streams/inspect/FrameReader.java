package io.linesight.streams.inspect;

import io.linesight.schemas.CameraFrame;
import io.linesight.schemas.DeadLetterCode;
import io.linesight.schemas.serde.BadRecordException;
import org.apache.kafka.common.serialization.Deserializer;

/** Bytes of the frames topic to a frame whose text fields are of sane length. */
final class FrameReader {

    /** Results repeat these fields, and a result has to fit its topic. */
    static final int MAX_TEXT = 1024;

    private final String topic;
    private final Deserializer<CameraFrame> deserializer;

    FrameReader(String topic, Deserializer<CameraFrame> deserializer) {
        this.topic = topic;
        this.deserializer = deserializer;
    }

    /**
     * @throws BadRecordException when these bytes are not a frame and never will be
     * @throws io.linesight.schemas.registry.RegistryException when the registry cannot tell
     */
    CameraFrame read(byte[] value) {
        if (value == null) throw new BadRecordException(DeadLetterCode.EMPTY_RECORD, "the record has no value (null)");
        CameraFrame frame = deserializer.deserialize(topic, value);
        if (frame == null) throw new BadRecordException(DeadLetterCode.EMPTY_RECORD, "the record has no value");
        checkLength("frameId", frame.getFrameId());
        checkLength("cameraId", frame.getCameraId());
        checkLength("lineId", frame.getLineId());
        checkLength("product", frame.getProduct());
        return frame;
    }

    private static void checkLength(String field, String text) {
        if (text != null && text.length() > MAX_TEXT) {
            throw new BadRecordException(
                    DeadLetterCode.CORRUPT_RECORD,
                    field + " has " + text.length() + " characters; at most " + MAX_TEXT + " are accepted");
        }
    }
}

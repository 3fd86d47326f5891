package io.linesight.streams.deadletter;

import io.linesight.mmad.image.BadImageException;
import io.linesight.schemas.DeadLetterCode;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.deadletter.DeadLetterHeaders;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.processor.api.Record;

/** Builds dead letters: the original record, bytes and headers untouched, with the reason in additional headers. */
public final class DeadLetters {

    private DeadLetters() { }

    /** The record to write to the dead-letter topic; {@code original} is not changed. */
    public static Record<byte[], byte[]> of(Record<byte[], byte[]> original, FrameRef source, DeadLetterCode code, String message) {
        Headers headers = new RecordHeaders(original.headers().toArray());
        DeadLetterHeaders.write(headers, code, message, source.getTopic(), source.getPartition(), source.getOffset());
        return new Record<>(original.key(), original.value(), original.timestamp(), headers);
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

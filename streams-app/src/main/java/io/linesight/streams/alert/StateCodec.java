package io.linesight.streams.alert;

import com.fasterxml.jackson.annotation.JsonAutoDetect.Visibility;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.PropertyAccessor;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.UncheckedIOException;

/** A camera's state as bytes: JSON, so that versions before and after this one read it. Thread-safe. */
final class StateCodec {

    private static final ObjectMapper JSON = JsonMapper.builder()
            .visibility(PropertyAccessor.ALL, Visibility.NONE)
            .visibility(PropertyAccessor.FIELD, Visibility.ANY)
            .visibility(PropertyAccessor.CREATOR, Visibility.ANY)
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.READ_UNKNOWN_ENUM_VALUES_USING_DEFAULT_VALUE)
            .serializationInclusion(JsonInclude.Include.NON_NULL)
            .build();
    private static final ObjectReader READER = JSON.readerFor(CameraState.class);
    private static final ObjectWriter WRITER = JSON.writerFor(CameraState.class);

    private StateCodec() {}

    static byte[] write(CameraState state) {
        try {
            return WRITER.writeValueAsBytes(state);
        } catch (IOException e) {
            throw new UncheckedIOException(e); // nothing of it can fail
        }
    }

    /** @throws UncheckedIOException for bytes that are no state */
    static CameraState read(byte[] bytes) {
        try {
            return READER.readValue(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException("the state of a camera cannot be read", e);
        }
    }
}

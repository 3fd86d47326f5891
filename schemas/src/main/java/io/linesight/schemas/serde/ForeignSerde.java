package io.linesight.schemas.serde;

import io.linesight.schemas.DeadLetterCode;
import io.linesight.schemas.registry.RegistryException;
import java.io.EOFException;
import java.io.IOException;
import java.util.Map;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serializer;
import org.jspecify.annotations.Nullable;

/**
 * Somebody else's serde, its failures translated into ours. Their classes are known by name only: they are not on our
 * class path.
 */
final class ForeignSerde<T> implements Serde<T> {

    private static final String REST_EXCEPTION = "RestClientException";

    private final Serde<T> inner;
    private final Class<T> type;
    private final boolean key;

    ForeignSerde(Serde<T> inner, Class<T> type, boolean key) {
        this.inner = inner;
        this.type = type;
        this.key = key;
    }

    @Override
    public Serializer<T> serializer() {
        return inner.serializer();
    }

    @Override
    public Deserializer<T> deserializer() {
        Deserializer<T> deserializer = inner.deserializer();
        return new Deserializer<>() {
            @Override
            public void configure(Map<String, ?> configs, boolean isKey) {
                deserializer.configure(configs, isKey);
            }

            @Override
            public @Nullable T deserialize(String topic, byte @Nullable [] bytes) {
                return deserialize(topic, null, bytes);
            }

            @Override
            public @Nullable T deserialize(String topic, @Nullable Headers headers, byte @Nullable [] bytes) {
                if (bytes == null) {
                    return null;
                }
                Wire id = Wire.of(topic, headers, bytes, key);
                Object record;
                try {
                    record = headers == null
                            ? deserializer.deserialize(topic, bytes)
                            : deserializer.deserialize(topic, headers, bytes);
                } catch (RuntimeException e) {
                    throw translate(topic, id, e);
                }
                if (!type.isInstance(record)) {
                    throw new BadRecordException(
                            DeadLetterCode.WRONG_SCHEMA,
                            "topic " + topic + ": " + id.name() + " is "
                                    + (record == null
                                            ? "nothing"
                                            : record.getClass().getName()) + ", not " + type.getName());
                }
                return type.cast(record);
            }

            @Override
            public void close() {
                deserializer.close();
            }
        };
    }

    /**
     * When in doubt whether the registry or the record is at fault, it is the registry: a record put aside wrongly is
     * lost, a retry is not.
     */
    private static RuntimeException translate(String topic, Wire id, RuntimeException e) {
        if (e instanceof BadRecordException || e instanceof RegistryException) {
            return e;
        }
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause.getClass().getSimpleName().equals(REST_EXCEPTION)) {
                if (errorCode(cause) / 100 == 404) {
                    return new BadRecordException(
                            DeadLetterCode.UNKNOWN_SCHEMA, "the registry does not know " + id.name(), e);
                }
                return RegistryException.unreachable(
                        "the registry could not give " + id.name() + ": " + cause.getMessage(), e);
            }
            if (cause instanceof RetriableException
                    || cause instanceof IOException && !(cause instanceof EOFException)) {
                return RegistryException.unreachable(
                        "the registry did not answer for " + id.name() + ": " + cause.getMessage(), e);
            }
        }
        if (!(e instanceof SerializationException) && !(e instanceof org.apache.avro.AvroRuntimeException)) {
            return e;
        }
        return new BadRecordException(
                DeadLetterCode.CORRUPT_RECORD,
                "the record of topic " + topic + " does not hold what " + id.name() + " describes: " + e.getMessage(),
                e);
    }

    private static int errorCode(Throwable rest) {
        try {
            return (int) rest.getClass().getMethod("getErrorCode").invoke(rest);
        } catch (ReflectiveOperationException | ClassCastException noSuchMethod) {
            return 0;
        }
    }

    @Override
    public void configure(Map<String, ?> configs, boolean isKey) {
        inner.configure(configs, isKey);
    }

    @Override
    public void close() {
        inner.close();
    }
}

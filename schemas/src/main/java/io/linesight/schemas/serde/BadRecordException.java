package io.linesight.schemas.serde;

import io.linesight.schemas.DeadLetterCode;
import java.util.Objects;
import org.apache.kafka.common.errors.SerializationException;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of this record can never be read, however often one tries: put it aside and go on. Faults of the registry
 * are {@link io.linesight.schemas.registry.RegistryException}, never this.
 */
public final class BadRecordException extends SerializationException {

    private static final long serialVersionUID = 1L;

    private final DeadLetterCode code;

    public BadRecordException(DeadLetterCode code, String message) {
        this(code, message, null);
    }

    public BadRecordException(DeadLetterCode code, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.code = Objects.requireNonNull(code, "code");
    }

    /** EMPTY_RECORD, NOT_CONFLUENT_WIRE, UNKNOWN_SCHEMA, WRONG_SCHEMA or CORRUPT_RECORD. */
    public DeadLetterCode code() {
        return code;
    }
}

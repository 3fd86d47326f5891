package io.linesight.schemas.registry;

import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;

/**
 * The schema registry could not do what was asked. Says nothing about the record at hand: a record must never be put
 * aside as bad because of an outage, so look at {@link #isRetriable()} and {@link #mayPass()} and try again later.
 * Credentials never appear in the message.
 */
public final class RegistryException extends KafkaException {

    private static final long serialVersionUID = 1L;

    /** What went wrong. */
    public enum Kind {
        /** No registry answered in time. Waiting helps. */
        UNREACHABLE(true),
        /** The registry answered with a fault of its own (5xx, 429). Waiting helps. */
        UNAVAILABLE(true),
        /** Credentials missing or not sufficient. Waiting helps while a key rotates. */
        UNAUTHORIZED(false),
        /** Subject, version or schema id does not exist. */
        NOT_FOUND(false),
        /** The schema id does not exist, and is asked for again: replicas of a registry lag. Waiting helps. */
        NOT_KNOWN_YET(true),
        /** The schema breaks the subject's compatibility rule. */
        INCOMPATIBLE(false),
        /** The registry rejects the request as wrong (for instance an invalid schema). */
        REJECTED(false),
        /** The schema exists but is not Avro or cannot be parsed. */
        UNUSABLE_SCHEMA(false),
        /**
         * Whatever answers there does not speak the Confluent-compatible API. Waiting helps where a proxy answers for a
         * registry that restarts.
         */
        NOT_A_REGISTRY(false);

        private final boolean retriable;

        Kind(boolean retriable) {
            this.retriable = retriable;
        }
    }

    private final Kind kind;
    private final int errorCode;

    RegistryException(Kind kind, int errorCode, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.kind = kind;
        this.errorCode = errorCode;
    }

    /** For serdes of others whose failures are translated: an outage of the registry behind them. */
    public static RegistryException unreachable(String message, Throwable cause) {
        return new RegistryException(Kind.UNREACHABLE, 0, message, cause);
    }

    /** For a record whose schema somebody has to register first. */
    public static RegistryException notRegistered(String message, @Nullable Throwable cause) {
        return new RegistryException(Kind.NOT_FOUND, 0, message, cause);
    }

    /** For whoever waits until the registry knows a schema. */
    public static RegistryException notKnownYet(String message, Throwable cause) {
        return new RegistryException(Kind.NOT_KNOWN_YET, 0, message, cause);
    }

    /** What went wrong. */
    public Kind kind() {
        return kind;
    }

    /** Error code of the registry's own vocabulary, for instance 40403; 0 where it gave none. */
    public int errorCode() {
        return errorCode;
    }

    /** Whether the same call may succeed later without anybody changing anything but the registry's health. */
    public boolean isRetriable() {
        return kind.retriable;
    }

    /**
     * Whether the fault lies between us and the registry's answer, so that nothing is known about the record: an
     * outage, a refusal, a proxy's page. Who cannot do without the answer waits, and says for what.
     */
    public boolean mayPass() {
        return kind.retriable || kind == Kind.UNAUTHORIZED || kind == Kind.NOT_A_REGISTRY;
    }
}

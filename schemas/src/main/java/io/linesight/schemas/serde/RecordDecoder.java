package io.linesight.schemas.serde;

import io.linesight.schemas.DeadLetterCode;
import io.linesight.schemas.clients.Backoff;
import io.linesight.schemas.registry.RegistryException;
import io.linesight.schemas.registry.RegistryException.Kind;
import java.time.Duration;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Range;
import org.apache.kafka.common.config.ConfigDef.Type;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads values of records, alike in every command: the schema's id may stand before the value or in a record header
 * ({@link Wire}), and an id that the registry does not know is asked for again for {@value #UNKNOWN_SCHEMA_MS} before
 * the record counts as bad ({@link UnknownSchemas}).
 *
 * <p>Every method throws {@link BadRecordException} for bytes that can never be read. Methods differ in who waits for
 * the registry.
 *
 * <p>Thread-safe. Ownership: whoever makes it closes it.
 */
public final class RecordDecoder<T extends SpecificRecord> implements AutoCloseable {

    /** How long the registry is asked again for a schema that it does not know, in milliseconds. */
    public static final String UNKNOWN_SCHEMA_MS = "linesight.registry.unknown.schema.ms";

    private static final Logger LOG = LoggerFactory.getLogger(RecordDecoder.class);
    private static final Duration UNKNOWN_DELAY = Duration.ofMillis(250);
    private static final Backoff BACKOFF = Backoff.exponential(Duration.ofMillis(100), Duration.ofSeconds(2));

    private final Serde<T> serde;
    private final Deserializer<T> deserializer;
    private final UnknownSchemas unknown;

    private RecordDecoder(Serde<T> serde, UnknownSchemas unknown) {
        this.serde = serde;
        deserializer = serde.deserializer();
        this.unknown = unknown;
    }

    /** Adds {@value #UNKNOWN_SCHEMA_MS} to a definition. */
    public static ConfigDef define(ConfigDef definition) {
        return definition.define(
                UNKNOWN_SCHEMA_MS,
                Type.INT,
                10_000,
                Range.between(0, 600_000),
                Importance.LOW,
                "How long the registry is asked again for a schema that it does not know, before the records that "
                        + "name it count as bad: replicas of a registry lag. In 'serve' only the partition with such a "
                        + "frame waits. After three waits in vain within 10 minutes none does.");
    }

    /**
     * Contacts nothing yet.
     *
     * @param settings those of {@link SerdeFactory}
     * @throws org.apache.kafka.common.config.ConfigException naming the setting that is wrong
     */
    public static <T extends SpecificRecord> RecordDecoder<T> of(Class<T> type, Map<String, ?> settings) {
        return of(type, settings, System::nanoTime);
    }

    static <T extends SpecificRecord> RecordDecoder<T> of(Class<T> type, Map<String, ?> settings, LongSupplier nanos) {
        return over(SerdeFactory.create(type, settings, false), settings, nanos);
    }

    /**
     * Reads with a serde that is configured.
     *
     * @param serde fails in the two ways that {@link LinesightAvroDeserializer} documents; closed with this
     */
    public static <T extends SpecificRecord> RecordDecoder<T> over(Serde<T> serde, Map<String, ?> settings) {
        return over(serde, settings, System::nanoTime);
    }

    private static <T extends SpecificRecord> RecordDecoder<T> over(
            Serde<T> serde, Map<String, ?> settings, LongSupplier nanos) {
        int millis = (Integer) define(new ConfigDef()).parse(settings).get(UNKNOWN_SCHEMA_MS);
        return new RecordDecoder<>(serde, new UnknownSchemas(Duration.ofMillis(millis), nanos));
    }

    /**
     * Reads a record's value; for callers that come back with the same record.
     *
     * @return null for a record without a value
     * @throws RegistryException when nothing is known of the record now: the registry does not answer, or it does not
     *     know the schema yet. Try again while {@link RegistryException#mayPass()}
     */
    public @Nullable T decode(ConsumerRecord<?, byte[]> record) {
        return decode(record.topic(), record.headers(), record.value());
    }

    /**
     * As {@link #decode}, and waits for a schema that the registry does not know yet.
     *
     * @throws RegistryException when the registry does not answer
     */
    public @Nullable T await(ConsumerRecord<?, byte[]> record) {
        return untilKnown(() -> decode(record));
    }

    /**
     * As {@link #decode}, and waits for the registry for as long as it takes, with a line in the log.
     *
     * @param stopped ends the waiting
     * @throws RegistryException when waiting was ended, or would not help
     */
    public @Nullable T awaitRegistry(ConsumerRecord<?, byte[]> record, BooleanSupplier stopped) {
        boolean told = false;
        for (int retry = 1; ; retry++) {
            try {
                T value = decode(record);
                if (told) LOG.info("The schema registry answers again; records of {} are read", record.topic());
                return value;
            } catch (RegistryException e) {
                if (!e.mayPass() || stopped.getAsBoolean()) throw e;
                if (!told) LOG.warn("Records of {} wait for the schema registry: {}", record.topic(), e.getMessage());
                told = true;
                sleep(e.kind() == Kind.NOT_KNOWN_YET ? UNKNOWN_DELAY : BACKOFF.delay(retry));
            }
        }
    }

    /**
     * Does something again and again while it fails for a schema that the registry does not know yet.
     *
     * @throws RegistryException when the registry does not answer
     */
    public static <R extends @Nullable Object> R untilKnown(Supplier<R> work) {
        while (true) {
            try {
                return work.get();
            } catch (RegistryException e) {
                if (e.kind() != Kind.NOT_KNOWN_YET) throw e;
            }
            sleep(UNKNOWN_DELAY);
        }
    }

    /**
     * A record's value with its schema's id or GUID before it, wherever the record has that: it can be kept without the
     * headers and read with {@link #decodeKept}.
     */
    public static byte[] toKeep(ConsumerRecord<?, byte[]> record) {
        return Wire.withId(record.headers(), record.value());
    }

    /** As {@link #decode}, of a value that {@link #toKeep} gave. */
    public @Nullable T decodeKept(String topic, byte[] value) {
        Wire.Kept kept = Wire.kept(value);
        return decode(topic, kept.headers(), kept.value());
    }

    private @Nullable T decode(String topic, Headers headers, byte @Nullable [] value) {
        Object schema = SerdeFactory.schemaOf(headers, value);
        try {
            T record = deserializer.deserialize(topic, headers, value);
            if (schema != null) unknown.known(schema);
            return record;
        } catch (BadRecordException e) {
            if (schema == null) throw e;
            if (e.code() != DeadLetterCode.UNKNOWN_SCHEMA) {
                unknown.known(schema);
                throw e;
            }
            if (unknown.isWorthAsking(schema)) throw RegistryException.notKnownYet(String.valueOf(e.getMessage()), e);
            throw e;
        } catch (RegistryException e) {
            unknown.outage();
            throw e;
        }
    }

    private static void sleep(Duration time) {
        try {
            Thread.sleep(time.toMillis());
        } catch (InterruptedException e) {
            throw new InterruptException(e);
        }
    }

    @Override
    public void close() {
        serde.close();
    }
}

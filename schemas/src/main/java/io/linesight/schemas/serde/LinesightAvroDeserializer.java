package io.linesight.schemas.serde;

import io.linesight.schemas.DeadLetterCode;
import io.linesight.schemas.registry.RegistryException;
import io.linesight.schemas.registry.SchemaRegistryClient;
import java.io.IOException;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.SchemaCompatibility.SchemaCompatibilityType;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.IndexedRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DatumReader;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.specific.SpecificData;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.Deserializer;
import org.jspecify.annotations.Nullable;

/**
 * Reads Confluent's wire formats ({@link Wire}: the schema's id or GUID before the value or in a record header),
 * resolving the writer's schema to the reader's. Timestamps of another unit than the reader's are converted; a logical
 * type that has no one meaning is rejected ({@link LogicalTypeRules}).
 *
 * <p>Thread-safe once configured. Keys, as Confluent's: the registry's connection (see {@link SchemaRegistryClient}),
 * {@code specific.avro.reader} (false: generic records in the writer's schema), {@code specific.avro.value.type} and
 * {@code specific.avro.key.type} (generated class that is wanted; any other record is rejected as WRONG_SCHEMA).
 *
 * <p>Two kinds of failure are kept apart. {@link BadRecordException}: these bytes will never be readable.
 * {@link RegistryException}: the registry did not answer, nothing is known about the record; keep it and try again.
 */
public final class LinesightAvroDeserializer<T extends IndexedRecord> implements Deserializer<T> {

    private static final int CACHED_READERS = 1000;
    /**
     * A rejection is as good as the registry's answer, which may have been somebody else's: a proxy's, or that of a
     * registry restored from yesterday.
     */
    private static final long REJECTION_TTL_NANOS = 60_000_000_000L;

    /**
     * What to do with records of a schema: read them so, or reject them for that reason.
     *
     * @param until when a rejection has to be asked for again ({@link System#nanoTime}); unused otherwise
     */
    private record Plan<T>(@Nullable DatumReader<T> reader, String reason, long until) {
        boolean isStale() {
            return reader == null && System.nanoTime() - until > 0;
        }
    }

    private final @Nullable SchemaRegistryClient given;
    private final ConcurrentHashMap<Object, Plan<T>> plans = new ConcurrentHashMap<>();
    private AvroSerdeConfig config;

    /** For Kafka, which then calls {@link #configure}. */
    public LinesightAvroDeserializer() {
        this(null);
    }

    /** With a client that several serdes share. */
    public LinesightAvroDeserializer(@Nullable SchemaRegistryClient registry) {
        given = registry;
    }

    /** @throws org.apache.kafka.common.config.ConfigException naming the key that is wrong or not supported */
    @Override
    public void configure(Map<String, ?> configs, boolean isKey) {
        config = new AvroSerdeConfig(configs, isKey, given);
    }

    /** As {@link #deserialize(String, Headers, byte[])} without headers. */
    @Override
    public @Nullable T deserialize(String topic, byte @Nullable [] bytes) {
        return deserialize(topic, null, bytes);
    }

    /**
     * @param headers of the record; null where there are none
     * @param bytes not kept; the record owns its own copies
     * @return the record; null for null, which is Kafka's tombstone
     * @throws BadRecordException EMPTY_RECORD, NOT_CONFLUENT_WIRE, UNKNOWN_SCHEMA, WRONG_SCHEMA or CORRUPT_RECORD
     * @throws RegistryException if the registry did not answer
     */
    @Override
    public @Nullable T deserialize(String topic, @Nullable Headers headers, byte @Nullable [] bytes) {
        if (bytes == null) {
            return null;
        }
        if (config == null) {
            throw new IllegalStateException("the deserializer is not configured; call configure first");
        }
        Wire wire = Wire.of(topic, headers, bytes, config.key);
        Plan<T> plan = plan(wire);
        if (plan.reader == null)
            throw new BadRecordException(DeadLetterCode.WRONG_SCHEMA, "topic " + topic + ": " + plan.reason);
        return read(topic, wire, plan.reader, bytes);
    }

    private T read(String topic, Wire wire, DatumReader<T> reader, byte[] bytes) {
        BinaryDecoder decoder =
                DecoderFactory.get().binaryDecoder(bytes, wire.start(), bytes.length - wire.start(), null);
        try {
            T record = reader.read(null, decoder);
            if (!decoder.isEnd()) {
                throw new BadRecordException(
                        DeadLetterCode.CORRUPT_RECORD,
                        "the record of topic " + topic + " continues after the end of what " + wire.name()
                                + " describes");
            }
            return record;
        } catch (BadRecordException e) {
            throw e;
        } catch (IOException | RuntimeException | StackOverflowError e) {
            // Avro answers damaged bytes with a dozen exception types. A stack overflow here means the bytes nest
            // without end, which only a recursive schema of somebody else's allows. The decoder rejects lengths beyond
            // the record before it allocates.
            String why = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
            throw new BadRecordException(
                    DeadLetterCode.CORRUPT_RECORD,
                    "the record of topic " + topic + " (" + bytes.length + " bytes) does not hold what " + wire.name()
                            + " describes: " + why,
                    e);
        }
    }

    private Plan<T> plan(Wire wire) {
        Plan<T> plan = plans.get(wire.id());
        if (plan == null || plan.isStale()) {
            if (plan != null) config.registry.forget(wire.id());
            plan = resolve(wire);
            if (plans.size() >= CACHED_READERS) {
                plans.clear(); // cheap to build again; the schemas themselves are cached in the client
            }
            plans.put(wire.id(), plan);
        }
        return plan;
    }

    private Plan<T> resolve(Wire wire) {
        String name = wire.name();
        Schema writer;
        try {
            writer = wire.id() instanceof UUID guid
                    ? config.registry.schemaByGuid(guid)
                    : config.registry.schemaById((Integer) wire.id());
        } catch (RegistryException e) {
            switch (e.kind()) {
                case NOT_FOUND ->
                    throw new BadRecordException(
                            DeadLetterCode.UNKNOWN_SCHEMA,
                            "the registry does not know " + name
                                    + (wire.id() instanceof UUID ? ": " + e.getMessage() : ""),
                            e); // not kept: it may be registered later
                case UNUSABLE_SCHEMA -> {
                    return reject(e.getMessage());
                }
                default -> throw e;
            }
        }
        if (EmptyElements.in(writer)) {
            return reject(name + " (" + writer.getFullName()
                    + ") has an array whose elements take no bytes, so a few bytes could claim millions of them");
        }
        if (config.expected != null) return resolve(name, writer, config.expected);
        if (!config.specific) return keep(new GenericDatumReader<>(writer));
        Class<?> type =
                writer.getType() == Schema.Type.RECORD ? SpecificData.get().getClass(writer) : null;
        if (type == null) {
            return reject("no generated class for " + writer.getFullName() + " (" + name + ") is on the class path");
        }
        return resolve(name, writer, SpecificData.get().getSchema(type));
    }

    /** Reads the writer's schema as the one wanted, where Avro can. */
    private Plan<T> resolve(String name, Schema writer, Schema wanted) {
        if (writer.getType() != Schema.Type.RECORD
                || !(writer.getFullName().equals(wanted.getFullName())
                        || wanted.getAliases().contains(writer.getFullName()))) {
            return reject(name + " is " + writer.getFullName() + ", not " + wanted.getFullName());
        }
        var compatibility = SchemaCompatibility.checkReaderWriterCompatibility(wanted, writer);
        if (compatibility.getType() != SchemaCompatibilityType.COMPATIBLE) {
            String why = String.join(
                    "; ",
                    compatibility.getResult().getIncompatibilities().stream()
                            .map(i -> i.getType() + " at " + i.getLocation())
                            .toList());
            return reject(name + " (" + writer.getFullName()
                    + ") cannot be read with this application's version of it: " + why);
        }
        LogicalTypeRules logical = LogicalTypeRules.of(writer, wanted);
        if (!logical.problems().isEmpty())
            return reject(name + " (" + writer.getFullName() + ") means something else than this application: "
                    + String.join("; ", logical.problems()));
        return keep(logical.reader(writer, wanted));
    }

    private Plan<T> keep(DatumReader<T> reader) {
        return new Plan<>(reader, "", 0);
    }

    private Plan<T> reject(@Nullable String reason) {
        return new Plan<>(null, String.valueOf(reason), System.nanoTime() + REJECTION_TTL_NANOS);
    }
}

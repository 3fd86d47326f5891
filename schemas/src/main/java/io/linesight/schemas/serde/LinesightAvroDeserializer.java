package io.linesight.schemas.serde;

import io.linesight.schemas.DeadLetterCode;
import io.linesight.schemas.registry.RegistryException;
import io.linesight.schemas.registry.SchemaRegistryClient;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.SchemaCompatibility.SchemaCompatibilityType;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.IndexedRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DatumReader;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.specific.SpecificData;
import org.apache.avro.specific.SpecificDatumReader;
import org.apache.kafka.common.serialization.Deserializer;
import org.jspecify.annotations.Nullable;

/**
 * Reads Confluent's wire format, resolving the writer's schema to the reader's.
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

    private final @Nullable SchemaRegistryClient given;
    private final ConcurrentHashMap<Integer, Function<String, DatumReader<T>>> readers = new ConcurrentHashMap<>();
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

    /**
     * @param bytes not kept; the record owns its own copies
     * @return the record; null for null, which is Kafka's tombstone
     * @throws BadRecordException EMPTY_RECORD, NOT_CONFLUENT_WIRE, UNKNOWN_SCHEMA, WRONG_SCHEMA or CORRUPT_RECORD
     * @throws RegistryException if the registry did not answer
     */
    @Override
    public @Nullable T deserialize(String topic, byte @Nullable [] bytes) {
        if (bytes == null) {
            return null;
        }
        if (config == null) {
            throw new IllegalStateException("the deserializer is not configured; call configure first");
        }
        int id = Wire.schemaId(topic, bytes);
        DatumReader<T> reader = reader(id).apply(topic);
        BinaryDecoder decoder =
                DecoderFactory.get().binaryDecoder(bytes, Wire.HEADER, bytes.length - Wire.HEADER, null);
        try {
            T record = reader.read(null, decoder);
            if (!decoder.isEnd()) {
                throw new BadRecordException(
                        DeadLetterCode.CORRUPT_RECORD,
                        "the record of topic " + topic + " continues after the end of what schema id " + id
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
                    "the record of topic " + topic + " (" + bytes.length + " bytes) does not hold what schema id " + id
                            + " describes: " + why,
                    e);
        }
    }

    private Function<String, DatumReader<T>> reader(int id) {
        Function<String, DatumReader<T>> reader = readers.get(id);
        if (reader == null) {
            reader = resolve(id);
            if (readers.size() >= CACHED_READERS) {
                readers.clear(); // cheap to build again; the schemas themselves are cached in the client
            }
            readers.put(id, reader);
        }
        return reader;
    }

    /** What to do with records of this id, for good: read them so, or reject them for that reason. */
    private Function<String, DatumReader<T>> resolve(int id) {
        Schema writer;
        try {
            writer = config.registry.schemaById(id);
        } catch (RegistryException e) {
            switch (e.kind()) {
                case NOT_FOUND ->
                    throw new BadRecordException(
                            DeadLetterCode.UNKNOWN_SCHEMA,
                            "the registry does not know schema id " + id,
                            e); // not kept: it may be registered later
                case UNUSABLE_SCHEMA -> {
                    return reject(e.getMessage());
                }
                default -> throw e;
            }
        }
        if (EmptyElements.in(writer)) {
            return reject("schema id " + id + " (" + writer.getFullName()
                    + ") has an array whose elements take no bytes, so a few bytes could claim millions of them");
        }
        if (config.expected != null) return resolve(id, writer, config.expected);
        if (!config.specific) return keep(new GenericDatumReader<>(writer));
        Class<?> type =
                writer.getType() == Schema.Type.RECORD ? SpecificData.get().getClass(writer) : null;
        if (type == null) {
            return reject(
                    "no generated class for " + writer.getFullName() + " (schema id " + id + ") is on the class path");
        }
        return resolve(id, writer, SpecificData.get().getSchema(type));
    }

    /** Reads the writer's schema as the one wanted, where Avro can. */
    private Function<String, DatumReader<T>> resolve(int id, Schema writer, Schema wanted) {
        if (writer.getType() != Schema.Type.RECORD
                || !(writer.getFullName().equals(wanted.getFullName())
                        || wanted.getAliases().contains(writer.getFullName()))) {
            return reject("schema id " + id + " is " + writer.getFullName() + ", not " + wanted.getFullName());
        }
        var compatibility = SchemaCompatibility.checkReaderWriterCompatibility(wanted, writer);
        if (compatibility.getType() != SchemaCompatibilityType.COMPATIBLE) {
            String why = String.join(
                    "; ",
                    compatibility.getResult().getIncompatibilities().stream()
                            .map(i -> i.getType() + " at " + i.getLocation())
                            .toList());
            return reject("schema id " + id + " (" + writer.getFullName()
                    + ") cannot be read with this application's version of it: " + why);
        }
        return keep(new SpecificDatumReader<>(writer, wanted));
    }

    private Function<String, DatumReader<T>> keep(DatumReader<T> reader) {
        return topic -> reader;
    }

    private Function<String, DatumReader<T>> reject(String reason) {
        return topic -> {
            throw new BadRecordException(DeadLetterCode.WRONG_SCHEMA, "topic " + topic + ": " + reason);
        };
    }
}

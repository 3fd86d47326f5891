package io.linesight.schemas.serde;

import io.linesight.schemas.registry.RegisteredSchema;
import io.linesight.schemas.registry.SchemaRegistryClient;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.SchemaCompatibility.SchemaCompatibilityType;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.IndexedRecord;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DatumWriter;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.specific.SpecificDatumWriter;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Serializer;
import org.jspecify.annotations.Nullable;

/**
 * Writes Avro records in Confluent's wire format: a zero byte, the schema id (4 bytes, big endian), Avro binary. The
 * subject is {@code <topic>-value} or {@code <topic>-key}.
 *
 * <p>Thread-safe once configured. Keys, as Confluent's: the registry's connection (see {@link SchemaRegistryClient}),
 * {@code auto.register.schemas} (true), {@code use.latest.version} (false), {@code avro.remove.java.properties}
 * (false).
 */
public final class LinesightAvroSerializer<T extends IndexedRecord> implements Serializer<T> {

    private final @Nullable SchemaRegistryClient given;
    private final ConcurrentHashMap<String, RegisteredSchema> latest = new ConcurrentHashMap<>();
    private final ConcurrentHashMap<Schema, Schema> plain = new ConcurrentHashMap<>();
    private AvroSerdeConfig config;

    /** For Kafka, which then calls {@link #configure}. */
    public LinesightAvroSerializer() {
        this(null);
    }

    /** With a client that several serdes share. */
    public LinesightAvroSerializer(@Nullable SchemaRegistryClient registry) {
        given = registry;
    }

    /** @throws org.apache.kafka.common.config.ConfigException naming the key that is wrong or not supported */
    @Override
    public void configure(Map<String, ?> configs, boolean isKey) {
        config = new AvroSerdeConfig(configs, isKey, given);
    }

    /**
     * @return the record's bytes; null for null
     * @throws io.linesight.schemas.registry.RegistryException if the schema could not be registered or found
     * @throws SerializationException if the record does not fit its schema, for instance a required field is null
     */
    @Override
    public byte @Nullable [] serialize(String topic, @Nullable T record) {
        if (record == null) {
            return null;
        }
        if (config == null) {
            throw new IllegalStateException("the serializer is not configured; call configure first");
        }
        try {
            String subject = config.subject(topic);
            Schema schema = record.getSchema();
            if (config.useLatest) {
                return asLatest(subject, record);
            }
            Schema named = config.removeJava ? plain.computeIfAbsent(schema, PlainSchema::of) : schema;
            int id = config.autoRegister
                    ? config.registry.register(subject, named)
                    : config.registry.lookup(subject, named);
            return write(id, schema, record);
        } catch (IOException | ClassCastException | NullPointerException | org.apache.avro.AvroRuntimeException e) {
            throw new SerializationException(
                    "record " + record.getSchema().getFullName() + " for topic " + topic + " does not fit its schema: "
                            + e.getMessage(),
                    e);
        }
    }

    /** Avro writes fields by position, so a record of another version is first carried over into the latest schema. */
    private byte[] asLatest(String subject, T record) throws IOException {
        RegisteredSchema target = latest.computeIfAbsent(subject, config.registry::latest);
        Schema own = record.getSchema();
        if (target.schema().equals(own)) {
            return write(target.id(), own, record);
        }
        if (SchemaCompatibility.checkReaderWriterCompatibility(target.schema(), own)
                        .getType()
                != SchemaCompatibilityType.COMPATIBLE) {
            throw new SerializationException(
                    "the latest version (" + target.version() + ") of subject " + subject + " cannot take records of "
                            + own.getFullName() + " as this application has it; nothing was written");
        }
        GenericData plain = new GenericData(); // no conversions: values pass through in their Avro form
        byte[] ownBytes = write(0, own, record);
        IndexedRecord carried = new GenericDatumReader<IndexedRecord>(own, target.schema(), plain)
                .read(
                        null,
                        DecoderFactory.get().binaryDecoder(ownBytes, Wire.HEADER, ownBytes.length - Wire.HEADER, null));
        return write(target.id(), ownBytes.length, new GenericDatumWriter<>(target.schema(), plain), carried);
    }

    /** A frame is nearly all pixels; without this its buffer would be copied at every doubling. */
    private static int sizeHint(IndexedRecord record) {
        int size = 512;
        for (Schema.Field field : record.getSchema().getFields()) {
            if (field.schema().getType() == Schema.Type.BYTES && record.get(field.pos()) instanceof ByteBuffer bytes) {
                size += bytes.remaining();
            }
        }
        return size;
    }

    private static <R extends IndexedRecord> byte[] write(int id, Schema schema, R record) throws IOException {
        return write(
                id,
                sizeHint(record),
                record instanceof SpecificRecord ? new SpecificDatumWriter<>(schema) : new GenericDatumWriter<>(schema),
                record);
    }

    private static <R> byte[] write(int id, int sizeHint, DatumWriter<R> writer, R record) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream(sizeHint);
        out.write(Wire.MAGIC);
        out.writeBytes(ByteBuffer.allocate(4).putInt(id).array());
        BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(out, null);
        writer.write(record, encoder);
        encoder.flush();
        return out.toByteArray();
    }
}

package io.linesight.schemas.serde;

import io.linesight.schemas.registry.RegisteredSchema;
import io.linesight.schemas.registry.RegistryException;
import io.linesight.schemas.registry.RegistryException.Kind;
import io.linesight.schemas.registry.SchemaRegistryClient;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.apache.avro.Schema;
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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes Avro records in Confluent's wire format: a zero byte, the schema id (4 bytes, big endian), Avro binary. The
 * subject is {@code <topic>-value} or {@code <topic>-key}.
 *
 * <p>Thread-safe once configured. Keys, as Confluent's: the registry's connection (see {@link SchemaRegistryClient}),
 * {@code auto.register.schemas} (true), {@code use.latest.version} (false), {@code avro.remove.java.properties}
 * (false). Where the schema may not be registered and is not there, records are written in the newest registered
 * version that holds them ({@link OlderVersion}).
 */
public final class LinesightAvroSerializer<T extends IndexedRecord> implements Serializer<T> {

    private static final Logger LOG = LoggerFactory.getLogger(LinesightAvroSerializer.class);
    /** After how long a schema that was not registered is looked for again. */
    private static final long ASK_AGAIN_NANOS = TimeUnit.MINUTES.toNanos(1);

    /** @param until when to look for the schema of its own again ({@link System#nanoTime}) */
    private record Target(OlderVersion version, long until) {
        boolean isStale() {
            return System.nanoTime() - until > 0;
        }

        /** The same, to be looked for again within a second. */
        Target soon() {
            long soon = System.nanoTime() + TimeUnit.SECONDS.toNanos(1);
            return until - soon < 0 ? this : new Target(version, soon);
        }
    }

    private final @Nullable SchemaRegistryClient given;
    private final ConcurrentHashMap<String, OlderVersion> latest = new ConcurrentHashMap<>();
    /** By subject, where this program's schema is not registered and may not be. */
    private final ConcurrentHashMap<String, Target> others = new ConcurrentHashMap<>();

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
            if (config.useLatest) return carry(subject, latest(subject, record), record);
            Schema schema = record.getSchema();
            Schema named = config.removeJava ? plain.computeIfAbsent(schema, PlainSchema::of) : schema;
            if (config.autoRegister) return write(config.registry.register(subject, named), schema, record);
            Target other = others.get(subject);
            if (other != null && !other.isStale()) return carry(subject, other.version, record);
            return lookUp(subject, named, record, other);
        } catch (IOException | ClassCastException | NullPointerException | org.apache.avro.AvroRuntimeException e) {
            throw new SerializationException(
                    "record " + record.getSchema().getFullName() + " for topic " + topic + " does not fit its schema: "
                            + e.getMessage(),
                    e);
        }
    }

    /**
     * Writes in the schema of its own where that is registered, and in the newest older one that holds it otherwise.
     */
    private byte[] lookUp(String subject, Schema named, T record, @Nullable Target before) throws IOException {
        try {
            int id = config.registry.lookup(subject, named);
            others.remove(subject);
            return write(id, record.getSchema(), record);
        } catch (RegistryException e) {
            if (e.mayPass() && before != null) return carry(subject, before.version, record);
            if (e.kind() != Kind.NOT_FOUND || e.errorCode() == SchemaRegistryClient.SUBJECT_NOT_FOUND) throw e;
            OlderVersion older = OlderVersion.newest(config.registry, subject, record.getSchema())
                    .orElseThrow(() -> e);
            Target target = new Target(older, System.nanoTime() + ASK_AGAIN_NANOS);
            if (others.put(subject, target) == null)
                LOG.warn(
                        "This program's version of {} is not registered; {}. 'linesight schemas' registers it",
                        record.getSchema().getFullName(),
                        older.describe());
            return carry(subject, older, record);
        }
    }

    private OlderVersion latest(String subject, T record) {
        return latest.computeIfAbsent(subject, s -> {
            RegisteredSchema newest = config.registry.latest(s);
            return OlderVersion.of(newest, record.getSchema())
                    .orElseThrow(() -> new SerializationException("the latest version (" + newest.version()
                            + ") of subject " + s + " cannot take records of "
                            + record.getSchema().getFullName()
                            + " as this application has it; nothing was written"));
        });
    }

    /** Avro writes fields by position, so a record of another version is first carried over into the target's. */
    private byte[] carry(String subject, OlderVersion version, T record) throws IOException {
        RegisteredSchema target = version.registered();
        Schema own = record.getSchema();
        if (target.schema().equals(own)) {
            return write(target.id(), own, record);
        }
        Optional<String> obstacle = version.obstacle(record);
        if (obstacle.isPresent()) {
            // It may be registered by now.
            latest.remove(subject);
            others.computeIfPresent(subject, (s, t) -> t.soon());
            throw RegistryException.notRegistered(
                    "a record of " + own.getFullName() + " has " + obstacle.get() + ", which version "
                            + target.version() + " of subject " + subject + " cannot hold; nothing was written. "
                            + "Register this program's version (linesight schemas)"
                            + (config.useLatest ? "" : ", or let the application do it (auto.register.schemas=true)"),
                    null);
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

package io.linesight.schemas.serde;

import java.util.HashMap;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Type;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;

/**
 * Makes the serdes of an application by class name, so that the official one is a matter of configuration:
 * {@code linesight.serde.class=io.confluent.kafka.streams.serdes.avro.SpecificAvroSerde}.
 */
public final class SerdeFactory {

    /** Class with a no-arg constructor that implements {@link Serde} for generated Avro records. */
    public static final String SERDE_CLASS_CONFIG = "linesight.serde.class";

    private SerdeFactory() {}

    /** Every key of the built-in serde, and the one that chooses another; for the reference. */
    public static ConfigDef definition() {
        return RecordDecoder.define(AvroSerdeConfig.definition())
                .define(
                        SERDE_CLASS_CONFIG,
                        Type.STRING,
                        AvroSerde.class.getName(),
                        new ConfigDef.NonEmptyString(),
                        Importance.LOW,
                        "Class of the Avro serde: ours, or any Confluent-compatible one on the class path.");
    }

    /** A schema of ours as writers with these settings register it ({@code avro.remove.java.properties}). */
    public static Schema toRegister(Schema schema, Map<String, ?> configs) {
        return AvroSerdeConfig.flag(configs, AvroSerdeConfig.REMOVE_JAVA) ? PlainSchema.of(schema) : schema;
    }

    /**
     * What names the schema of a record's value, looked at only: an id or a GUID, from before the value or from the
     * header. Null where there is none, so that nobody needs the registry to say what is wrong with the record.
     */
    public static @Nullable Object schemaOf(@Nullable Headers headers, byte @Nullable [] value) {
        return value == null ? null : Wire.peek(headers, value, false);
    }

    /**
     * A configured serde for one record type. Whatever the class, its deserializer fails in the two ways that
     * {@link LinesightAvroDeserializer} documents.
     *
     * @param configs {@link #SERDE_CLASS_CONFIG} (default {@link AvroSerde}) and the serde's own keys
     * @throws ConfigException if the class is missing or unfit, or the serde rejects its configuration
     */
    public static <T extends SpecificRecord> Serde<T> create(Class<T> type, Map<String, ?> configs, boolean isKey) {
        Object name = configs.get(SERDE_CLASS_CONFIG);
        if (name == null || name == AvroSerde.class || name.toString().equals(AvroSerde.class.getName())) {
            return AvroSerde.of(type, configs, isKey);
        }
        Map<String, Object> all = new HashMap<>(configs);
        all.remove(SERDE_CLASS_CONFIG);
        all.put(AvroSerdeConfig.SPECIFIC_READER, true);
        all.put(isKey ? AvroSerdeConfig.KEY_TYPE : AvroSerdeConfig.VALUE_TYPE, type.getName());
        Serde<T> serde = newInstance(name);
        serde.configure(all, isKey);
        return new ForeignSerde<>(serde, type, isKey);
    }

    @SuppressWarnings("unchecked") // a serde of another type is found out by its first record, see ForeignSerde
    private static <T> Serde<T> newInstance(Object name) {
        try {
            Class<?> c = name instanceof Class<?> given
                    ? given
                    : Class.forName(name.toString(), true, Utils.getContextOrKafkaClassLoader());
            return (Serde<T>) c.asSubclass(Serde.class).getDeclaredConstructor().newInstance();
        } catch (ClassNotFoundException e) {
            throw new ConfigException(SERDE_CLASS_CONFIG + "=" + name + " is not on the class path. Add the jar that"
                    + " has it, or leave the key out to use the built-in serde");
        } catch (ClassCastException | ReflectiveOperationException e) {
            throw new ConfigException(
                    SERDE_CLASS_CONFIG + "=" + name + " is not a Kafka Serde with a no-arg constructor: " + e);
        }
    }
}

package io.linesight.schemas.serde;

import io.linesight.schemas.registry.SchemaRegistryClient;
import java.util.HashMap;
import java.util.Map;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serializer;
import org.jspecify.annotations.Nullable;

/**
 * Serde of generated Avro records in Confluent's wire format. Same construction and config keys as Confluent's
 * {@code SpecificAvroSerde}; see {@link LinesightAvroSerializer} and {@link LinesightAvroDeserializer} for keys and
 * errors.
 */
public final class AvroSerde<T extends SpecificRecord> implements Serde<T> {

    private final LinesightAvroSerializer<T> serializer;
    private final LinesightAvroDeserializer<T> deserializer;

    /** For Kafka, which then calls {@link #configure}. */
    public AvroSerde() {
        this(null);
    }

    /** With a client that several serdes share; {@link #configure} must still be called. */
    public AvroSerde(@Nullable SchemaRegistryClient registry) {
        serializer = new LinesightAvroSerializer<>(registry);
        deserializer = new LinesightAvroDeserializer<>(registry);
    }

    /** A configured serde that reads {@code type} and rejects every other record. */
    public static <T extends SpecificRecord> AvroSerde<T> of(Class<T> type, Map<String, ?> configs, boolean isKey) {
        Map<String, Object> all = new HashMap<>(configs);
        all.put(isKey ? AvroSerdeConfig.KEY_TYPE : AvroSerdeConfig.VALUE_TYPE, type);
        AvroSerde<T> serde = new AvroSerde<>();
        serde.configure(all, isKey);
        return serde;
    }

    /** {@code specific.avro.reader} is always on here. */
    @Override
    public void configure(Map<String, ?> configs, boolean isKey) {
        Map<String, Object> all = new HashMap<>(configs);
        all.put(AvroSerdeConfig.SPECIFIC_READER, true);
        serializer.configure(all, isKey);
        deserializer.configure(all, isKey);
    }

    @Override
    public Serializer<T> serializer() {
        return serializer;
    }

    @Override
    public Deserializer<T> deserializer() {
        return deserializer;
    }
}

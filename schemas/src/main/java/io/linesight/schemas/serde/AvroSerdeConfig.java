package io.linesight.schemas.serde;

import io.linesight.schemas.registry.SchemaRegistryClient;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.specific.SpecificData;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Type;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;

/** Confluent's serde keys, as far as they are supported; what is not is rejected instead of ignored. */
final class AvroSerdeConfig {

    static final String AUTO_REGISTER = "auto.register.schemas";
    static final String USE_LATEST = "use.latest.version";
    static final String REMOVE_JAVA = "avro.remove.java.properties";
    static final String SPECIFIC_READER = "specific.avro.reader";
    static final String VALUE_TYPE = "specific.avro.value.type";
    static final String KEY_TYPE = "specific.avro.key.type";

    private static final String TOPIC_NAME_STRATEGY = "TopicNameStrategy";
    private static final String VALUE_STRATEGY = "value.subject.name.strategy";
    private static final String KEY_STRATEGY = "key.subject.name.strategy";

    private static final ConfigDef DEFINITION = new ConfigDef()
            .define(
                    AUTO_REGISTER,
                    Type.BOOLEAN,
                    true,
                    Importance.MEDIUM,
                    "Whether writers register their schemas; false where somebody else does.")
            .define(
                    USE_LATEST,
                    Type.BOOLEAN,
                    false,
                    Importance.LOW,
                    "Write with the subject's newest schema instead of the program's; needs " + AUTO_REGISTER
                            + "=false.")
            .define(
                    REMOVE_JAVA,
                    Type.BOOLEAN,
                    false,
                    Importance.LOW,
                    "Register schemas without the properties that only Java's Avro uses (avro.java.string).")
            .define(
                    SPECIFIC_READER,
                    Type.BOOLEAN,
                    false,
                    Importance.LOW,
                    "Read into generated classes; the program sets it itself.")
            .define(
                    VALUE_STRATEGY,
                    Type.STRING,
                    TOPIC_NAME_STRATEGY,
                    Importance.LOW,
                    "How subjects are named; the built-in serde knows TopicNameStrategy only.")
            .define(KEY_STRATEGY, Type.STRING, TOPIC_NAME_STRATEGY, Importance.LOW, "The same for keys.");

    static ConfigDef definition() {
        return new ConfigDef(DEFINITION);
    }

    final SchemaRegistryClient registry;
    final boolean key;
    final boolean autoRegister;
    final boolean useLatest;
    final boolean removeJava;
    final boolean specific;
    /** What the reader wants; null takes whatever was written. */
    final @Nullable Schema expected;

    AvroSerdeConfig(Map<String, ?> configs, boolean key, @Nullable SchemaRegistryClient given) {
        GeneratedRecordTrust.ensure();
        rejectStrategy(configs, VALUE_STRATEGY);
        rejectStrategy(configs, KEY_STRATEGY);
        this.key = key;
        autoRegister = flag(configs, AUTO_REGISTER);
        useLatest = flag(configs, USE_LATEST);
        if (useLatest && configs.get(AUTO_REGISTER) != null && autoRegister) {
            throw new ConfigException(USE_LATEST + "=true needs " + AUTO_REGISTER
                    + "=false: either the application brings" + " its schema or it takes the registry's");
        }
        removeJava = flag(configs, REMOVE_JAVA);
        specific = flag(configs, SPECIFIC_READER);
        expected = expected(configs.get(key ? KEY_TYPE : VALUE_TYPE), key ? KEY_TYPE : VALUE_TYPE);
        registry = given != null ? given : new SchemaRegistryClient(configs);
    }

    String subject(String topic) {
        return topic + (key ? "-key" : "-value");
    }

    private static void rejectStrategy(Map<String, ?> configs, String key) {
        Object value = configs.get(key);
        if (value == null) {
            return;
        }
        String name = value instanceof Class<?> c ? c.getName() : value.toString();
        if (!name.equals(TOPIC_NAME_STRATEGY) && !name.endsWith("." + TOPIC_NAME_STRATEGY)) {
            throw new ConfigException(key + "=" + name + " is not supported by the built-in serde; it knows "
                    + TOPIC_NAME_STRATEGY + " only. Put in the official serde (" + SerdeFactory.SERDE_CLASS_CONFIG
                    + ") to use another");
        }
    }

    private static @Nullable Schema expected(@Nullable Object type, String key) {
        if (type == null) {
            return null;
        }
        try {
            Class<?> c = type instanceof Class<?> given
                    ? given
                    : Class.forName(type.toString(), true, Utils.getContextOrKafkaClassLoader());
            if (!SpecificRecord.class.isAssignableFrom(c)) {
                throw new ConfigException(key + "=" + c.getName() + " is not a generated Avro record class");
            }
            return SpecificData.get().getSchema(c);
        } catch (ClassNotFoundException e) {
            throw new ConfigException(key + "=" + type + " is not on the class path");
        }
    }

    static boolean flag(Map<String, ?> configs, String key) {
        Object value = configs.get(key);
        if (value == null) {
            return (Boolean) DEFINITION.defaultValues().get(key);
        }
        return switch (value.toString().trim().toLowerCase(java.util.Locale.ROOT)) {
            case "true" -> true;
            case "false" -> false;
            default -> throw new ConfigException(key + "=" + value + " is neither true nor false");
        };
    }
}

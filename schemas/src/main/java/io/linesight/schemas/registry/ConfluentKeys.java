package io.linesight.schemas.registry;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The keys of Confluent's registry client and Avro serdes that a file made for them may hold, and what becomes of those
 * that the built-in serde does not implement: they are named in the log, once for the process, never passed over
 * without a word. Keys that would change who may read what (TLS, tokens) are rejected by {@link RegistryConfig}
 * instead.
 */
public final class ConfluentKeys {

    private static final Logger LOG = LoggerFactory.getLogger(ConfluentKeys.class);

    /** Implemented here or in the serde. */
    private static final Set<String> IMPLEMENTED = Set.of(
            RegistryConfig.URL,
            RegistryConfig.CREDENTIALS_SOURCE,
            RegistryConfig.USER_INFO,
            RegistryConfig.CONNECT_TIMEOUT,
            RegistryConfig.READ_TIMEOUT,
            RegistryConfig.MAX_RETRIES,
            RegistryConfig.RETRY_WAIT,
            RegistryConfig.RETRY_MAX_WAIT,
            RegistryConfig.PROXY_HOST,
            RegistryConfig.PROXY_PORT,
            RegistryConfig.CACHE_SIZE,
            RegistryConfig.NORMALIZE,
            "auto.register.schemas",
            "use.latest.version",
            "avro.remove.java.properties",
            "specific.avro.reader",
            "specific.avro.value.type",
            "specific.avro.key.type",
            "value.subject.name.strategy",
            "key.subject.name.strategy");

    /** Not implemented, with the value that is what the built-in serde does anyway, and what it does. */
    private static final Map<String, Foreign> FOREIGN = foreign();

    private static final Set<String> WARNED = ConcurrentHashMap.newKeySet();

    /** @param same value that asks for what is done anyway; null where there is none */
    private record Foreign(String same, String instead) {}

    private ConfluentKeys() {}

    private static Map<String, Foreign> foreign() {
        Map<String, Foreign> keys = new LinkedHashMap<>();
        String latest = "a record is always written in a schema that it fits";
        keys.put("latest.compatibility.strict", new Foreign("true", latest));
        keys.put("id.compatibility.strict", new Foreign("true", latest));
        String choice = "the schema is the program's own, or the newest with use.latest.version=true";
        keys.put("use.schema.id", new Foreign("-1", choice));
        keys.put("use.schema.guid", new Foreign(null, choice));
        keys.put("use.latest.with.metadata", new Foreign(null, choice));
        String cache = "ids and schemas are kept for good, the newest version for the life of the writer, "
                + "an unknown id for 1 s";
        for (String key : new String[] {
            "latest.cache.size",
            "latest.cache.ttl.sec",
            "missing.cache.size",
            "missing.id.cache.ttl.sec",
            "missing.version.cache.ttl.sec",
            "missing.schema.cache.ttl.sec"
        }) keys.put(key, new Foreign(null, cache));
        String prefix = "ids are written before the value (0x00 and 4 bytes)";
        for (String side : new String[] {"value", "key"}) {
            keys.put(
                    side + ".schema.id.serializer",
                    new Foreign("io.confluent.kafka.serializers.schema.id.PrefixSchemaIdSerializer", prefix));
            keys.put(
                    side + ".schema.id.deserializer",
                    new Foreign(
                            "io.confluent.kafka.serializers.schema.id.DualSchemaIdDeserializer",
                            "ids are read from the header and from before the value"));
        }
        keys.put(
                "context.name.strategy",
                new Foreign(
                        "io.confluent.kafka.serializers.context.NullContextNameStrategy",
                        "a context is part of the address: schema.registry.url=http://host:port/contexts/.NAME"));
        keys.put("reference.subject.name.strategy", new Foreign(null, "schemas are registered without references"));
        String records = "values are generated records";
        for (String key : new String[] {
            "schema.reflection", "avro.reflection.allow.null", "avro.use.logical.type.converters", "schema.format"
        }) keys.put(key, new Foreign("false", records));
        keys.put("propagate.schema.tags", new Foreign("false", "tags are not sent"));
        keys.put("auto.register.schemas.rule.set", new Foreign(null, "rules are not run"));
        keys.put("enable.rule.service.loader", new Foreign("false", "rules are not run"));
        keys.put("rule.executors", new Foreign("", "rules are not run"));
        keys.put("rule.actions", new Foreign("", "rules are not run"));
        return keys;
    }

    /** Whether the key is one of Confluent's client or serdes, implemented or not. */
    public static boolean isKnown(String key) {
        return IMPLEMENTED.contains(key)
                || FOREIGN.containsKey(key)
                || key.startsWith(RegistryConfig.HEADER_PREFIX)
                || key.startsWith("rule.executors.")
                || key.startsWith("rule.actions.")
                || key.matches("(schema\\.registry|basic\\.auth|bearer\\.auth|sasl\\.oauthbearer|avro)\\..+");
    }

    /** Logs the keys that change nothing here, each once for the process. */
    static void warnOfIgnored(Map<String, ?> configs) {
        for (String key : ignored(configs)) {
            if (WARNED.add(key)) {
                LOG.warn(
                        "{} is a key of Confluent's serdes that the built-in one does not implement; it is ignored{}. "
                                + "To use it, put in the official serde (linesight.serde.class)",
                        key,
                        Optional.ofNullable(FOREIGN.get(key))
                                .map(f -> ": " + f.instead)
                                .orElse(""));
            }
        }
    }

    /** Keys of the configuration that are Confluent's, ask for something else than what is done, and change nothing. */
    static Collection<String> ignored(Map<String, ?> configs) {
        return configs.entrySet().stream()
                .filter(e -> isKnown(e.getKey()) && !isHonoured(e.getKey(), Objects.toString(e.getValue(), "")))
                .map(Map.Entry::getKey)
                .sorted()
                .toList();
    }

    private static boolean isHonoured(String key, String value) {
        if (IMPLEMENTED.contains(key) || key.startsWith(RegistryConfig.HEADER_PREFIX)) return true;
        // Keys of Kafka's own OAuth client begin so, too.
        if (key.startsWith("sasl.oauthbearer.")) return true;
        Foreign foreign = FOREIGN.get(key);
        return foreign != null && value.trim().equalsIgnoreCase(foreign.same);
    }
}

package io.linesight.streams.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What is printed of the settings when the app starts. */
final class Summary {
    /** On lines of their own. */
    private static final Set<String> ESSENTIAL = Set.of(
            InspectionConfig.BOOTSTRAP_SERVERS,
            InspectionConfig.APPLICATION_ID,
            InspectionConfig.REGISTRY_URL,
            InspectionConfig.CHECKPOINT);

    /** Settings of the registry that decide in which schema records are written. */
    private static final List<String> WRITING =
            List.of("auto.register.schemas", "use.latest.version", "normalize.schemas");

    private Summary() {}

    static List<String> of(InspectionConfig config) {
        Map<String, String> kafka = Redaction.of(config.overrides());
        List<String> lines = new ArrayList<>();
        lines.add("Kafka: " + config.bootstrapServers() + ", " + protection(kafka) + ", application.id "
                + config.applicationId());
        Map<String, String> registry = Redaction.of(config.serdes());
        lines.add("Schema registry: " + registry.get(InspectionConfig.REGISTRY_URL)
                + (registry.containsKey("basic.auth.user.info") ? ", with basic.auth.user.info" : "")
                + WRITING.stream()
                        .filter(registry::containsKey)
                        .map(key -> ", " + key + "=" + registry.get(key))
                        .collect(Collectors.joining()));
        lines.add("Topics: " + config.topics().frames().name() + " to "
                + config.topics().results().name() + " and "
                + config.topics().anomalies().name());
        lines.add("Model: " + (config.checkpoint() == null ? "" : config.checkpoint() + ", ")
                + (config.models().follow()
                        ? "the champion of channel '" + config.models().channel() + "', "
                        : "")
                + "device " + config.scorer().device());
        Map<String, String> changed = new TreeMap<>(config.changed());
        changed.keySet().removeAll(ESSENTIAL);
        lines.add("Changed settings: " + (changed.isEmpty() ? "none" : text(changed)));
        if (!kafka.isEmpty()) lines.add("Settings of Kafka's clients: " + text(kafka));
        return lines;
    }

    /** How connections are protected: one for all, or each kind of client apart where they differ. */
    private static String protection(Map<String, String> kafka) {
        String consumers = protection(kafka, "main.consumer.", "consumer.", "");
        String producers = protection(kafka, "producer.", "");
        String admins = protection(kafka, "admin.", "");
        return consumers.equals(producers) && producers.equals(admins)
                ? consumers
                : "consumers " + consumers + ", producers " + producers + ", admin clients " + admins;
    }

    /** @param prefixes the one that counts first comes first */
    private static String protection(Map<String, String> kafka, String... prefixes) {
        String protocol = first(kafka, "security.protocol", prefixes);
        if (protocol == null) return "PLAINTEXT";
        if (!protocol.startsWith("SASL")) return protocol;
        String mechanism = first(kafka, "sasl.mechanism", prefixes);
        return protocol + " with " + (mechanism == null ? "GSSAPI" : mechanism);
    }

    private static @Nullable String first(Map<String, String> kafka, String key, String... prefixes) {
        return Stream.of(prefixes)
                .map(prefix -> kafka.get(prefix + key))
                .filter(Objects::nonNull)
                .findFirst()
                .orElse(null);
    }

    private static String text(Map<String, String> settings) {
        return settings.entrySet().stream()
                .map(e -> e.getKey() + "=" + e.getValue())
                .collect(Collectors.joining(", "));
    }
}

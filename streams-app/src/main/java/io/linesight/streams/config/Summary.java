package io.linesight.streams.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** What is printed of the settings when the app starts. */
final class Summary {
    /** On lines of their own. */
    private static final Set<String> ESSENTIAL = Set.of(
            InspectionConfig.BOOTSTRAP_SERVERS,
            InspectionConfig.APPLICATION_ID,
            InspectionConfig.REGISTRY_URL,
            InspectionConfig.CHECKPOINT);

    private Summary() {}

    static List<String> of(InspectionConfig config) {
        Map<String, String> kafka = Redaction.of(config.overrides());
        String protocol = kafka.getOrDefault("security.protocol", "PLAINTEXT");
        String mechanism = kafka.get("sasl.mechanism");
        List<String> lines = new ArrayList<>();
        lines.add("Kafka: " + config.bootstrapServers() + ", " + protocol
                + (mechanism == null ? "" : " with " + mechanism) + ", application.id " + config.applicationId());
        Map<String, String> registry = Redaction.of(config.serdes());
        lines.add("Schema registry: " + registry.get(InspectionConfig.REGISTRY_URL)
                + (registry.containsKey("basic.auth.user.info") ? ", with basic.auth.user.info" : ""));
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

    private static String text(Map<String, String> settings) {
        return settings.entrySet().stream()
                .map(e -> e.getKey() + "=" + e.getValue())
                .collect(Collectors.joining(", "));
    }
}

package io.linesight.streams.config;

import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.clients.KafkaNames;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import org.apache.kafka.streams.GroupProtocol;
import org.apache.kafka.streams.StreamsConfig;

/** Settings of Kafka Streams and of the clients beside it: what the user passes through, and ours on top. */
final class KafkaProperties {

    private static final String CLIENT_PREFIX = "(main\\.consumer|restore\\.consumer|consumer|producer|admin)\\..*";
    private static final Set<String> OURS = Set.of(
            InspectionConfig.BOOTSTRAP_SERVERS,
            InspectionConfig.APPLICATION_ID,
            InspectionConfig.STREAM_THREADS,
            InspectionConfig.PROCESSING_GUARANTEE,
            InspectionConfig.COMMIT_INTERVAL_MS,
            InspectionConfig.TRANSACTION_TIMEOUT_MS,
            InspectionConfig.MAX_POLL_INTERVAL_MS,
            InspectionConfig.AUTO_OFFSET_RESET,
            InspectionConfig.STATE_DIR);

    private KafkaProperties() {}

    /** The key of ours that a passed-through Kafka setting would get past. */
    static Optional<String> ownedBy(String kafkaKey) {
        String plain = kafkaKey;
        for (String prefix : List.of("main.consumer.", "restore.consumer.", "consumer.", "producer.")) {
            if (plain.startsWith(prefix)) plain = plain.substring(prefix.length());
        }
        return OURS.contains(plain) ? Optional.of(plain) : Optional.empty();
    }

    /**
     * Rejects every group protocol but the classic one. With the others Kafka Streams makes its consumers itself, past
     * the one that holds frames back while the registry is unavailable, and the group is described by other requests.
     */
    static void rejectGroupProtocol(Map<String, String> overrides, Map<String, String> names, SettingsReader reader) {
        overrides.forEach((key, value) -> {
            if (KafkaNames.withoutClient(key).equals(StreamsConfig.GROUP_PROTOCOL_CONFIG)
                    && !value.equalsIgnoreCase(GroupProtocol.CLASSIC.name()))
                reader.reject(names.getOrDefault(key, key) + "=" + value
                        + " is not supported: frames are held back at a consumer of our own while the schema registry "
                        + "is unavailable, which Kafka Streams has with the classic protocol only. Leave it out");
        });
    }

    static Properties forStreams(InspectionConfig config) {
        Properties p = replaceable(config);
        p.putAll(config.overrides());
        StreamsSettings streams = config.streams();
        p.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, config.bootstrapServers());
        p.put(StreamsConfig.APPLICATION_ID_CONFIG, config.applicationId());
        p.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, streams.guarantee());
        p.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, "" + streams.threads());
        p.put(
                StreamsConfig.COMMIT_INTERVAL_MS_CONFIG,
                "" + streams.commitInterval().toMillis());
        p.put(StreamsConfig.STATE_DIR_CONFIG, streams.stateDir().toString());
        p.put(
                StreamsConfig.consumerPrefix(InspectionConfig.MAX_POLL_INTERVAL_MS),
                "" + streams.maxPollInterval().toMillis());
        p.put(StreamsConfig.consumerPrefix(InspectionConfig.AUTO_OFFSET_RESET), streams.autoOffsetReset());
        if (streams.guarantee().equals(StreamsConfig.EXACTLY_ONCE_V2)) {
            p.put(
                    StreamsConfig.producerPrefix(InspectionConfig.TRANSACTION_TIMEOUT_MS),
                    "" + streams.transactionTimeout().toMillis());
        }
        return p;
    }

    /** Defaults that a pass-through setting may replace. */
    private static Properties replaceable(InspectionConfig config) {
        Properties p = new Properties();
        p.put(StreamsConfig.POLL_MS_CONFIG, "10"); // finished frames are forwarded between polls
        p.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, "32"); // a record is a whole image
        p.put(StreamsConfig.consumerPrefix("max.poll.records"), "32");
        p.put(StreamsConfig.consumerPrefix("session.timeout.ms"), "15000");
        p.put(StreamsConfig.producerPrefix("linger.ms"), "5");
        p.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, "0");
        config.topics()
                .limits()
                .producerConfigs()
                .forEach((k, value) -> p.put(StreamsConfig.producerPrefix(k), value.toString()));
        config.topics()
                .limits()
                .consumerConfigs()
                .forEach((k, value) -> p.put(StreamsConfig.consumerPrefix(k), value.toString()));
        p.put(StreamsConfig.DEFAULT_TIMESTAMP_EXTRACTOR_CLASS_CONFIG, LenientTimestamps.class.getName());
        // Kafka Streams prefers a prefixed setting, so ours would win over what the user says for all clients.
        p.keySet().removeIf(key -> config.overrides().containsKey(KafkaNames.withoutClient((String) key)));
        return p;
    }

    static Map<String, Object> forAdmin(InspectionConfig config) {
        Map<String, Object> p = ClientSettings.forAdmin(passedThrough(config, "admin."));
        p.put(InspectionConfig.BOOTSTRAP_SERVERS, config.bootstrapServers());
        return p;
    }

    static Map<String, Object> forProducer(InspectionConfig config) {
        Map<String, Object> p = new HashMap<>(config.topics().limits().producerConfigs());
        p.putAll(passedThrough(config, "producer."));
        p = ClientSettings.forProducer(p);
        p.put(InspectionConfig.BOOTSTRAP_SERVERS, config.bootstrapServers());
        return p;
    }

    /** What the user passes to all clients, and on top of it to those of the prefix. */
    private static Map<String, Object> passedThrough(InspectionConfig config, String prefix) {
        Map<String, Object> p = new HashMap<>();
        config.overrides().forEach((key, value) -> {
            if (!key.matches(CLIENT_PREFIX)) p.put(key, value);
        });
        config.overrides().forEach((key, value) -> {
            if (key.startsWith(prefix)) p.put(key.substring(prefix.length()), value);
        });
        return p;
    }
}

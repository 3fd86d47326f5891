package io.linesight.schemas.clients;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Settings of one Kafka client, taken from a map that holds those of other clients and of the serdes too. A client
 * warns of every setting that it does not know, so it gets its own only, and those with its prefix ({@code consumer.},
 * {@code producer.}, {@code admin.}), which win.
 *
 * <p>Every map returned is new and may be changed.
 */
public final class ClientSettings {
    /** A call waits as long as this for the broker, unless the user says otherwise; Kafka's own default is 60 s. */
    private static final int API_TIMEOUT_MS = 15_000;

    private ClientSettings() {}

    /** What a consumer knows of these settings; nothing is added. */
    public static Map<String, Object> forConsumer(Map<String, ?> settings) {
        return only(ConsumerConfig.configNames(), "consumer.", settings);
    }

    /** What a producer knows of these settings; nothing is added. */
    public static Map<String, Object> forProducer(Map<String, ?> settings) {
        return only(ProducerConfig.configNames(), "producer.", settings);
    }

    /** What an admin client knows of these settings; nothing is added. */
    public static Map<String, Object> forAdmin(Map<String, ?> settings) {
        return only(AdminClientConfig.configNames(), "admin.", settings);
    }

    /**
     * Settings of a consumer that reads on its own: it belongs to no group, commits nothing and sees committed records
     * only. A call fails after 15 s without an answer, unless the settings say otherwise.
     */
    public static Map<String, Object> forReader(Map<String, ?> settings) {
        Map<String, Object> configs = forConsumer(settings);
        configs.remove(ConsumerConfig.GROUP_ID_CONFIG);
        configs.remove(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG);
        configs.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        configs.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        configs.putIfAbsent(ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, API_TIMEOUT_MS);
        return configs;
    }

    /**
     * Settings of a producer outside transactions: idempotent and acknowledged by all replicas, so that nothing is
     * written twice or out of order.
     */
    public static Map<String, Object> forWriter(Map<String, ?> settings) {
        Map<String, Object> configs = forProducer(settings);
        configs.remove(ProducerConfig.TRANSACTIONAL_ID_CONFIG);
        configs.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
        configs.put(ProducerConfig.ACKS_CONFIG, "all");
        return configs;
    }

    /** A consumer of bytes; whoever opens it closes it. */
    public static KafkaConsumer<byte[], byte[]> openConsumer(Map<String, Object> configs) {
        return new KafkaConsumer<>(configs, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    /** A producer of bytes; whoever opens it closes it. */
    public static KafkaProducer<byte[], byte[]> openProducer(Map<String, Object> configs) {
        return new KafkaProducer<>(configs, new ByteArraySerializer(), new ByteArraySerializer());
    }

    /** What is for all clients, and on top of it what has the client's prefix. */
    private static Map<String, Object> only(Set<String> names, String prefix, Map<String, ?> settings) {
        Map<String, Object> known = new HashMap<>();
        settings.forEach((name, value) -> {
            if (isFor(names, name)) known.put(name, value);
        });
        settings.forEach((name, value) -> {
            String plain = name.startsWith(prefix) ? name.substring(prefix.length()) : "";
            if (isFor(names, plain)) known.put(plain, value);
        });
        return known;
    }

    /** A security setting that the client does not know may be one of a plug-in's: it is never left out. */
    private static boolean isFor(Set<String> names, String name) {
        return names.contains(name)
                || KafkaNames.isSecurity(name) && KafkaNames.withoutClient(name).equals(name);
    }
}

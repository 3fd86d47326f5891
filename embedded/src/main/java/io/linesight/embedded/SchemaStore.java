package io.linesight.embedded;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.clients.RangeReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.jspecify.annotations.Nullable;

/**
 * The registry's state: in memory for reading, in the compacted topic {@code _schemas} for good, in Confluent's own
 * record layout so that a real registry could take the topic over. One writer at a time, which the caller sees to.
 */
final class SchemaStore implements AutoCloseable {

    static final String TOPIC = "_schemas";

    private static final Duration STALL_TIMEOUT = Duration.ofSeconds(30);
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Points from one schema to the named schema of another subject. */
    record Reference(String name, String subject, int version) {}

    /** What an id stands for: text and references together. */
    record Content(String schema, List<Reference> references) {}

    record Version(int version, int id, Content content) {}

    private final Map<String, List<Version>> subjects = new ConcurrentHashMap<>();
    private final Map<Integer, Content> byId = new ConcurrentHashMap<>();
    private final Map<Content, Integer> idOf = new ConcurrentHashMap<>();
    private final Map<String, String> levels = new ConcurrentHashMap<>();
    private volatile String globalLevel;
    private final KafkaProducer<byte[], byte[]> producer;

    SchemaStore(String bootstrapServers, String defaultLevel) {
        globalLevel = defaultLevel;
        createTopic(bootstrapServers);
        readAll(bootstrapServers);
        Map<String, Object> configs = ClientSettings.forWriter(Map.of("bootstrap.servers", bootstrapServers));
        configs.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, 10_000);
        configs.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, 5_000);
        configs.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, 10_000);
        producer = ClientSettings.openProducer(configs);
    }

    List<String> subjects() {
        return List.copyOf(new TreeMap<>(subjects).keySet());
    }

    /** Ascending; empty where the subject does not exist. */
    List<Version> versions(String subject) {
        return subjects.getOrDefault(subject, List.of());
    }

    Optional<Content> content(int id) {
        return Optional.ofNullable(byId.get(id));
    }

    /** The id of a content that any subject already holds. */
    Optional<Integer> idOf(Content content) {
        return Optional.ofNullable(idOf.get(content));
    }

    int nextId() {
        return byId.keySet().stream().mapToInt(Integer::intValue).max().orElse(0) + 1;
    }

    Optional<String> levelOf(String subject) {
        return Optional.ofNullable(levels.get(subject));
    }

    String globalLevel() {
        return globalLevel;
    }

    /** Returns once the broker has it. */
    void add(String subject, Version version) {
        ObjectNode key = JSON.createObjectNode()
                .put("keytype", "SCHEMA")
                .put("subject", subject)
                .put("version", version.version())
                .put("magic", 1);
        ObjectNode value = JSON.createObjectNode()
                .put("subject", subject)
                .put("version", version.version())
                .put("id", version.id());
        if (!version.content().references().isEmpty()) {
            value.set("references", JSON.valueToTree(version.content().references()));
        }
        value.put("schema", version.content().schema()).put("deleted", false);
        write(key, value);
    }

    /** @param subject null for the global level */
    void setLevel(@Nullable String subject, String level) {
        write(
                JSON.createObjectNode()
                        .put("keytype", "CONFIG")
                        .put("subject", subject)
                        .put("magic", 0),
                JSON.createObjectNode().put("compatibilityLevel", level));
    }

    static List<Reference> references(JsonNode array) {
        List<Reference> references = new ArrayList<>();
        for (JsonNode r : array) {
            references.add(new Reference(
                    r.path("name").asText(),
                    r.path("subject").asText(),
                    r.path("version").asInt()));
        }
        return List.copyOf(references);
    }

    private void write(ObjectNode key, ObjectNode value) {
        try {
            producer.send(new ProducerRecord<>(TOPIC, 0, bytes(key), bytes(value)))
                    .get();
        } catch (InterruptedException e) {
            throw new InterruptException(e);
        } catch (ExecutionException e) {
            throw new KafkaException(
                    "could not write to topic " + TOPIC + ": " + e.getCause().getMessage(), e.getCause());
        }
        apply(key, value);
    }

    private static byte[] bytes(JsonNode json) {
        return json.toString().getBytes(StandardCharsets.UTF_8);
    }

    private void apply(JsonNode key, @Nullable JsonNode value) {
        String subject = key.path("subject").isTextual() ? key.get("subject").asText() : null;
        switch (key.path("keytype").asText()) {
            case "SCHEMA" -> applySchema(subject, key.path("version").asInt(), value);
            case "CONFIG" -> {
                String level =
                        value == null ? null : value.path("compatibilityLevel").asText();
                if (subject == null) {
                    globalLevel = level == null ? globalLevel : level;
                } else if (level == null) {
                    levels.remove(subject);
                } else {
                    levels.put(subject, level);
                }
            }
            default -> {} // NOOP, MODE, DELETE_SUBJECT of a real registry
        }
    }

    private void applySchema(@Nullable String subject, int number, @Nullable JsonNode value) {
        List<Version> versions = new ArrayList<>(versions(subject));
        versions.removeIf(v -> v.version() == number);
        if (value != null) {
            Content content = new Content(value.path("schema").asText(), references(value.path("references")));
            int id = value.path("id").asInt();
            byId.put(id, content);
            idOf.putIfAbsent(content, id);
            if (!value.path("deleted").asBoolean()) {
                versions.add(new Version(number, id, content));
            }
        }
        if (versions.isEmpty()) {
            subjects.remove(subject);
        } else {
            subjects.put(subject, List.copyOf(versions));
        }
    }

    private static void createTopic(String bootstrapServers) {
        try (Admin admin = Admin.create(Map.of(
                "bootstrap.servers",
                bootstrapServers,
                "default.api.timeout.ms",
                15_000,
                "request.timeout.ms",
                5_000))) {
            NewTopic topic =
                    new NewTopic(TOPIC, Optional.of(1), Optional.empty()).configs(Map.of("cleanup.policy", "compact"));
            admin.createTopics(List.of(topic)).all().get();
        } catch (InterruptedException e) {
            throw new InterruptException(e);
        } catch (ExecutionException e) {
            if (!(e.getCause() instanceof TopicExistsException)) {
                throw new IllegalStateException(
                        "the embedded registry was not started: the broker at " + bootstrapServers + " cannot be used ("
                                + e.getCause().getMessage() + "). Start the broker first",
                        e.getCause());
            }
        }
    }

    private void readAll(String bootstrapServers) {
        try (KafkaConsumer<byte[], byte[]> consumer = ClientSettings.openConsumer(ClientSettings.forReader(
                Map.of("bootstrap.servers", bootstrapServers, "default.api.timeout.ms", 60_000)))) {
            RangeReader reader = new RangeReader(consumer, STALL_TIMEOUT);
            // By partition: a broker does not know a topic's partitions for a moment after it was created.
            reader.read(reader.rangesOf(List.of(new TopicPartition(TOPIC, 0))), record -> {
                apply(JSON.readTree(record.key()), record.value() == null ? null : JSON.readTree(record.value()));
                return true;
            });
        } catch (IOException e) {
            throw new IllegalStateException(
                    "the embedded registry was not started: topic " + TOPIC
                            + " holds records that are not a schema registry's",
                    e);
        }
    }

    @Override
    public void close() {
        producer.close(Duration.ofSeconds(5));
    }
}

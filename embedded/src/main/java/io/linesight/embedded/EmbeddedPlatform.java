package io.linesight.embedded;

import io.linesight.schemas.topics.TopicAdmin;
import io.linesight.schemas.topics.TopicAdmin.TopicReport;
import io.linesight.schemas.topics.Topics;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;

/**
 * Broker, schema registry and the topics of a line in this JVM. The data lie in a folder and are there again at the
 * next start.
 *
 * <p>Threads: safe to share. Ownership: whoever starts it closes it.
 */
public final class EmbeddedPlatform implements AutoCloseable {
    private final EmbeddedKafka kafka;
    private final EmbeddedRegistry registry;
    private final List<TopicReport> topics;

    private EmbeddedPlatform(EmbeddedKafka kafka, EmbeddedRegistry registry, List<TopicReport> topics) {
        this.kafka = kafka;
        this.registry = registry;
        this.topics = topics;
    }

    /**
     * Starts both and creates the topics that are missing; 2 to 6 seconds.
     *
     * @param folder of the broker's data; created where absent
     * @param port of the broker; 0 picks a free one
     * @param registryPort of the registry; 0 picks a free one
     * @param topics with one replica, as the broker is alone
     * @throws PortInUseException when a port is taken; nothing is left running
     * @throws RuntimeException with a message for people when something else does not start; nothing is left running
     */
    public static EmbeddedPlatform start(Path folder, int port, int registryPort, Topics topics) {
        // Asked first: a broker that has to stop again because of it takes seconds.
        if (registryPort != 0) Ports.requireFree(registryPort, "schema registry");
        EmbeddedKafka kafka =
                EmbeddedKafka.in(folder).port(port).sizeLimits(topics.limits()).start();
        EmbeddedRegistry registry = null;
        try {
            registry = EmbeddedRegistry.start(kafka.bootstrapServers(), registryPort);
            try (Admin admin = Admin.create(Map.of("bootstrap.servers", (Object) kafka.bootstrapServers()))) {
                return new EmbeddedPlatform(kafka, registry, TopicAdmin.ensure(admin, topics.all()));
            }
        } catch (RuntimeException | Error e) {
            if (registry != null) registry.close();
            kafka.close();
            throw e;
        }
    }

    /** Value for {@code bootstrap.servers}. */
    public String bootstrapServers() {
        return kafka.bootstrapServers();
    }

    /** Value for {@code schema.registry.url}. */
    public String registryUrl() {
        return registry.url();
    }

    /** What clients need to reach both. */
    public Map<String, String> settings() {
        return Map.of("bootstrap.servers", bootstrapServers(), "schema.registry.url", registryUrl());
    }

    /** What the start found or created. */
    public List<TopicReport> topics() {
        return topics;
    }

    /** Stops both; the data stay. Does nothing the second time. */
    @Override
    public void close() {
        registry.close();
        kafka.close();
    }
}

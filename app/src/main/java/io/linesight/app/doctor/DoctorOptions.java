package io.linesight.app.doctor;

import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.topics.Topics;
import io.linesight.streams.config.SettingsCheck;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;

/**
 * What the doctor looks at.
 *
 * @param configuration settings of Kafka's clients, the registry and Linesight
 * @param topics the catalogue as configured
 * @param part the part that shall run
 * @param follows whether the inspection app follows rollouts
 * @param applicationId of the inspection app
 * @param trainerGroup consumer group of the trainer
 * @param device {@code auto}, {@code cpu} or {@code cuda:N}
 * @param folders by the setting that names them; they must be writable
 * @param acls whether to report what the principal may do
 * @param timeout for everything together
 */
public record DoctorOptions(
        SettingsCheck configuration,
        Topics topics,
        Part part,
        boolean follows,
        String applicationId,
        String trainerGroup,
        String device,
        Map<String, Path> folders,
        boolean acls,
        Duration timeout) {
    public DoctorOptions {
        folders = new LinkedHashMap<>(folders);
        if (timeout.toMillis() < 1000)
            throw new IllegalArgumentException("the timeout must be at least 1 s, got " + timeout);
    }

    /** The settings under their one name, without the prefix {@code kafka.}. */
    Map<String, String> settings() {
        return configuration.settings();
    }

    String bootstrap() {
        return settings().getOrDefault("bootstrap.servers", "");
    }

    /** How the doctor's own connections are protected. */
    String securityProtocol() {
        return String.valueOf(ClientSettings.forAdmin(settings())
                .getOrDefault(AdminClientConfig.SECURITY_PROTOCOL_CONFIG, "PLAINTEXT"));
    }

    /** A client that gives up early enough for the checks after it; whoever opens it closes it. */
    Admin openAdmin() {
        Map<String, Object> configs = ClientSettings.forAdmin(settings());
        // The first half of the time belongs to the broker, and TlsProbe needs some of it.
        long timeoutMillis = Math.max(500, Math.min(10_000, timeout.toMillis() / 5));
        configs.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, (int) timeoutMillis);
        configs.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, (int) Math.min(timeoutMillis, 5_000));
        return Admin.create(configs);
    }

    /**
     * For checks that need the registry.
     *
     * @param consequence what its absence means
     * @throws Check.NotApplicable when its address is not set
     */
    void requireRegistry(String consequence) throws Check.NotApplicable {
        if (settings().getOrDefault("schema.registry.url", "").isBlank())
            throw new Check.NotApplicable("schema.registry.url is not set, so " + consequence + " (--registry)");
    }
}

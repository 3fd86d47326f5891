package io.linesight.app.doctor;

import io.linesight.schemas.topics.Topics;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What the doctor is to look at.
 *
 * @param settings of Kafka's clients, the registry and Linesight, without the prefix {@code kafka.}
 * @param topics the catalogue as configured
 * @param part what is to run
 * @param follows whether the inspection app follows rollouts
 * @param applicationId of the inspection app
 * @param trainerGroup consumer group of the trainer
 * @param device {@code auto}, {@code cpu} or {@code cuda:N}
 * @param folders by the setting that names them; they are to be writable
 * @param acls whether to say what the principal may do
 * @param timeout for everything together
 */
public record DoctorOptions(
        Map<String, String> settings,
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
        settings = Map.copyOf(settings);
        folders = new LinkedHashMap<>(folders);
        if (timeout.toMillis() < 1000)
            throw new IllegalArgumentException("the timeout must be at least 1 s, got " + timeout);
    }

    String bootstrap() {
        return settings.getOrDefault("bootstrap.servers", "");
    }
}

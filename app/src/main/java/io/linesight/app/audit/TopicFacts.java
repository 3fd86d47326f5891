package io.linesight.app.audit;

import io.linesight.schemas.clients.TopicIds;
import io.linesight.schemas.topics.TopicSpec;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;

/** What the broker says of topics. Without the right to ask, the catalogue answers. */
final class TopicFacts {
    private final Admin admin;

    TopicFacts(Admin admin) {
        this.admin = admin;
    }

    /** Id of a topic; empty where it does not exist or may not be described, which reading it will show. */
    Optional<Uuid> id(TopicSpec topic) {
        return TopicIds.current(admin, topic.name());
    }

    boolean isCompacted(TopicSpec topic) throws InterruptedException {
        return setting(topic, "cleanup.policy").orElse("").contains("compact");
    }

    /** How long records stay; {@link Long#MAX_VALUE} for ever. */
    long retentionMillis(TopicSpec topic) throws InterruptedException {
        long millis = setting(topic, "retention.ms").map(Long::parseLong).orElseGet(topic.retention()::toMillis);
        return millis < 0 ? Long.MAX_VALUE : millis;
    }

    private Optional<String> setting(TopicSpec topic, String key) throws InterruptedException {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic.name());
        try {
            Config config = admin.describeConfigs(List.of(resource))
                    .values()
                    .get(resource)
                    .get();
            return Optional.ofNullable(config.get(key)).map(ConfigEntry::value);
        } catch (ExecutionException e) {
            return Optional.empty();
        }
    }
}

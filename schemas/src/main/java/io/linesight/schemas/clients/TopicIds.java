package io.linesight.schemas.clients;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.InterruptException;

/** Ids of topics: a topic that is deleted and made again keeps its name and gets another id. */
public final class TopicIds {
    private static final long CALL_SECONDS = 15;

    private TopicIds() {}

    /**
     * Id of a topic now; empty when it does not exist, may not be described, or the broker does not answer within 15 s.
     *
     * @param settings at least {@code bootstrap.servers}; what an admin client does not know is ignored
     */
    public static Optional<Uuid> current(Map<String, ?> settings, String topic) {
        try (Admin admin = Admin.create(ClientSettings.forAdmin(settings))) {
            return current(admin, topic);
        } catch (KafkaException e) {
            return Optional.empty();
        }
    }

    /** As {@link #current(Map, String)}, with a client that stays open. */
    public static Optional<Uuid> current(Admin admin, String topic) {
        try {
            return Optional.of(admin.describeTopics(List.of(topic))
                            .topicNameValues()
                            .get(topic)
                            .get(CALL_SECONDS, TimeUnit.SECONDS)
                            .topicId())
                    .filter(id -> !id.equals(Uuid.ZERO_UUID));
        } catch (InterruptedException e) {
            throw new InterruptException(e);
        } catch (ExecutionException | TimeoutException e) {
            return Optional.empty();
        }
    }
}

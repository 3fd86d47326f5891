package io.linesight.streams.offsets;

import io.linesight.streams.config.InspectionConfig;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** The identity of the topic of frames: Kafka gives a topic that is deleted and made again another id. Thread-safe. */
public final class FramesTopic implements AutoCloseable {
    private static final long CALL_SECONDS = 15;

    private final String name;
    private final Admin admin;

    public FramesTopic(InspectionConfig config) {
        name = config.topics().frames().name();
        admin = Admin.create(config.adminProperties());
    }

    /** What the broker says of the topic. */
    public sealed interface Seen {
        /** It is there. */
        record There(Uuid id) implements Seen {}

        /** The broker does not have it. */
        record Gone() implements Seen {}

        /** The broker does not answer, or does not tell ids: nothing is known. */
        record Unknown() implements Seen {}
    }

    /** Asks the broker; waits up to 15 s. */
    public Seen look() throws InterruptedException {
        try {
            Uuid id = admin.describeTopics(List.of(name))
                    .topicNameValues()
                    .get(name)
                    .get(CALL_SECONDS, TimeUnit.SECONDS)
                    .topicId();
            return id == null || id.equals(Uuid.ZERO_UUID) ? new Seen.Unknown() : new Seen.There(id);
        } catch (ExecutionException e) {
            return e.getCause() instanceof UnknownTopicOrPartitionException ? new Seen.Gone() : new Seen.Unknown();
        } catch (TimeoutException | KafkaException e) {
            return new Seen.Unknown();
        }
    }

    /** The topic's id, where the broker tells. */
    public Optional<Uuid> id() throws InterruptedException {
        return look() instanceof Seen.There there ? Optional.of(there.id()) : Optional.empty();
    }

    @Override
    public void close() {
        admin.close(Duration.ofSeconds(1));
    }
}

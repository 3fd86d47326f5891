package io.linesight.schemas.topics;

import io.linesight.schemas.clients.Backoff;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** Creates the topics of the catalogue where they are missing. Never changes or deletes a topic that exists. */
public final class TopicAdmin {

    private static final long TIMEOUT_SECONDS = 60;
    private static final Backoff METADATA_BACKOFF = Backoff.exponential(Duration.ofMillis(10), Duration.ofSeconds(1));

    private TopicAdmin() {}

    /** State of a topic after the call. */
    public enum State {
        CREATED,
        EXISTS,
        DIFFERS,
        MISSING
    }

    /**
     * One setting that is not as the catalogue has it.
     *
     * @param setting a topic config key, {@code partitions} or {@code replication.factor}
     */
    public record Difference(String setting, String wanted, String found) {
        @Override
        public String toString() {
            return setting + " is " + found + ", the catalogue has " + wanted;
        }
    }

    /**
     * What was found or done for one topic.
     *
     * @param differences empty unless the state is {@link State#DIFFERS}
     */
    public record TopicReport(TopicSpec topic, State state, List<Difference> differences) {
        public TopicReport {
            differences = List.copyOf(differences);
        }

        /** One line for people. */
        public String describe() {
            return switch (state) {
                case CREATED -> topic.name() + ": created with " + topic.partitions() + " partitions";
                case EXISTS -> topic.name() + ": exists as the catalogue has it";
                case MISSING -> topic.name() + ": missing";
                case DIFFERS ->
                    topic.name() + ": exists and differs; nothing was changed. "
                            + String.join(
                                    "; ",
                                    differences.stream()
                                            .map(Difference::toString)
                                            .toList());
            };
        }
    }

    /**
     * Creates missing topics and compares existing ones. Idempotent; safe to run from several processes at once.
     *
     * <p>Returns when the leader of every partition it created takes records. Kafka names the leader of a new partition
     * before that broker has opened it, and an idempotent producer that writes into that moment may get its second
     * batch in before its first, and retry the first in vain until its delivery timeout (KAFKA-15591, fixed after 4.3).
     *
     * @return one report per topic, in the order given
     * @throws KafkaException if the broker cannot be reached or rejects the request; topics created before the failure
     *     stay, and the call can be repeated
     */
    public static List<TopicReport> ensure(Admin admin, List<TopicSpec> topics) {
        Map<String, TopicReport> done = new LinkedHashMap<>();
        List<TopicReport> found = check(admin, topics);
        List<TopicSpec> missing = found.stream()
                .filter(r -> r.state() == State.MISSING)
                .map(TopicReport::topic)
                .toList();
        List<TopicSpec> raced = new ArrayList<>();
        if (!missing.isEmpty()) {
            Map<String, KafkaFuture<Void>> created = admin.createTopics(
                            missing.stream().map(TopicSpec::toNewTopic).toList())
                    .values();
            for (TopicSpec topic : missing) {
                try {
                    await(created.get(topic.name()), "create topic " + topic.name());
                    done.put(topic.name(), new TopicReport(topic, State.CREATED, List.of()));
                } catch (TopicExistsException someoneElseWasFaster) {
                    raced.add(topic);
                }
            }
        }
        for (TopicReport report : check(admin, raced)) {
            done.put(report.topic().name(), report);
        }
        awaitLeaders(
                admin,
                done.values().stream()
                        .filter(r -> r.state() == State.CREATED || r.state() == State.EXISTS)
                        .map(TopicReport::topic)
                        .toList());
        return found.stream().map(r -> done.getOrDefault(r.topic().name(), r)).toList();
    }

    /** Only the leader itself answers with offsets, and only once it has opened the partition. */
    private static void awaitLeaders(Admin admin, List<TopicSpec> topics) {
        Map<TopicPartition, OffsetSpec> partitions = new HashMap<>();
        for (TopicSpec topic : topics) {
            for (int i = 0; i < topic.partitions(); i++) {
                partitions.put(new TopicPartition(topic.name(), i), OffsetSpec.latest());
            }
        }
        if (partitions.isEmpty()) {
            return;
        }
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(TIMEOUT_SECONDS);
        for (int retry = 1; ; retry++) {
            try {
                await(admin.listOffsets(partitions).all(), "find the leaders of the topics just created");
                return;
            } catch (UnknownTopicOrPartitionException notEveryBrokerHasHeardOfIt) {
                // The client retries everything else, a leader that is not ready too.
                if (System.nanoTime() - deadline > 0) {
                    throw notEveryBrokerHasHeardOfIt;
                }
                pause(METADATA_BACKOFF.delay(retry));
            }
        }
    }

    private static void pause(Duration delay) {
        try {
            Thread.sleep(delay.toMillis());
        } catch (InterruptedException e) {
            throw new InterruptException(e);
        }
    }

    /**
     * Compares without creating anything: EXISTS, DIFFERS or MISSING per topic.
     *
     * @throws KafkaException if the broker cannot be reached or rejects the request
     */
    public static List<TopicReport> check(Admin admin, List<TopicSpec> topics) {
        List<TopicReport> reports = new ArrayList<>();
        if (topics.isEmpty()) {
            return reports;
        }
        List<String> names = topics.stream().map(TopicSpec::name).toList();
        Map<String, KafkaFuture<TopicDescription>> described =
                admin.describeTopics(names).topicNameValues();
        for (TopicSpec topic : topics) {
            try {
                TopicDescription description = await(described.get(topic.name()), "describe topic " + topic.name());
                List<Difference> differences = differences(admin, topic, description);
                reports.add(new TopicReport(topic, differences.isEmpty() ? State.EXISTS : State.DIFFERS, differences));
            } catch (UnknownTopicOrPartitionException e) {
                reports.add(new TopicReport(topic, State.MISSING, List.of()));
            }
        }
        return reports;
    }

    private static List<Difference> differences(Admin admin, TopicSpec topic, TopicDescription description) {
        List<Difference> differences = new ArrayList<>();
        int partitions = description.partitions().size();
        if (partitions != topic.partitions()) {
            differences.add(new Difference("partitions", "" + topic.partitions(), "" + partitions));
        }
        int replicas = description.partitions().get(0).replicas().size();
        if (topic.replicationFactor() != TopicSpec.BROKER_DEFAULT && replicas != topic.replicationFactor()) {
            differences.add(new Difference("replication.factor", "" + topic.replicationFactor(), "" + replicas));
        }
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic.name());
        Config config = await(
                admin.describeConfigs(List.of(resource)).values().get(resource),
                "read the configuration of topic " + topic.name());
        topic.configs().forEach((key, wanted) -> {
            ConfigEntry entry = config.get(key);
            String value = entry == null ? "unset" : entry.value();
            if (!wanted.equals(value)) {
                differences.add(new Difference(key, wanted, value));
            }
        });
        return differences;
    }

    private static <V> V await(KafkaFuture<V> future, String what) {
        try {
            return future.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            throw new InterruptException(e);
        } catch (TimeoutException e) {
            throw unreachable(what, e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof org.apache.kafka.common.errors.TimeoutException) {
                throw unreachable(what, e.getCause());
            }
            if (e.getCause() instanceof TopicExistsException
                    || e.getCause() instanceof UnknownTopicOrPartitionException) {
                throw (KafkaException) e.getCause();
            }
            throw new KafkaException("could not " + what + ": " + e.getCause().getMessage(), e.getCause());
        }
    }

    private static KafkaException unreachable(String what, Throwable cause) {
        return new org.apache.kafka.common.errors.TimeoutException(
                "could not " + what
                        + ": the broker does not answer; check bootstrap.servers and that the broker runs, then run "
                        + "this again",
                cause);
    }
}

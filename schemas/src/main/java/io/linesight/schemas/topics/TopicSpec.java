package io.linesight.schemas.topics;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.internals.Topic;

/**
 * What one topic should look like.
 *
 * @param name topic name
 * @param partitions number of partitions, at least 1
 * @param replicationFactor copies per partition, or {@link #BROKER_DEFAULT}
 * @param cleanup what Kafka does with old records
 * @param retention how long records are kept; ignored for topics that are compacted only; at least 1 ms
 * @param maxMessageBytes largest record batch the topic accepts
 * @param doc one sentence for people
 */
public record TopicSpec(
        String name,
        int partitions,
        short replicationFactor,
        Cleanup cleanup,
        Duration retention,
        int maxMessageBytes,
        String doc) {

    /** Let the broker choose ({@code default.replication.factor}). */
    public static final short BROKER_DEFAULT = -1;

    /** How long every record of a {@link Cleanup#COMPACT_DELETE} topic stays, so that it can be read as a log. */
    public static final Duration LOG_TIME = Duration.ofDays(14);

    /** Kafka's {@code cleanup.policy}. */
    public enum Cleanup {
        /** Records older than the retention go. */
        DELETE("delete"),
        /** The latest record of each key stays. */
        COMPACT("compact"),
        /**
         * Every record stays for {@link TopicSpec#LOG_TIME}, from then on the latest of each key, and none longer than
         * the retention.
         */
        COMPACT_DELETE("compact,delete");

        private final String policy;

        Cleanup(String policy) {
            this.policy = policy;
        }

        String policy() {
            return policy;
        }
    }

    public TopicSpec {
        Objects.requireNonNull(cleanup, "cleanup");
        Objects.requireNonNull(retention, "retention");
        Objects.requireNonNull(doc, "doc");
        try {
            Topic.validate(name);
        } catch (InvalidTopicException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
        if (partitions < 1) {
            throw new IllegalArgumentException(
                    "topic " + name + ": partitions=" + partitions + "; at least 1 is needed");
        }
        if (replicationFactor != BROKER_DEFAULT && replicationFactor < 1) {
            throw new IllegalArgumentException("topic " + name + ": replication factor " + replicationFactor
                    + "; use 1 or more, or -1 for the broker's default");
        }
        if (retention.toMillis() < 1) {
            throw new IllegalArgumentException("topic " + name + ": retention " + retention + " is shorter than 1 ms");
        }
        if (maxMessageBytes < 1) {
            throw new IllegalArgumentException("topic " + name + ": max.message.bytes=" + maxMessageBytes);
        }
    }

    public TopicSpec withPartitions(int count) {
        return new TopicSpec(name, count, replicationFactor, cleanup, retention, maxMessageBytes, doc);
    }

    public TopicSpec withReplicationFactor(short factor) {
        return new TopicSpec(name, partitions, factor, cleanup, retention, maxMessageBytes, doc);
    }

    public TopicSpec withRetention(Duration time) {
        return new TopicSpec(name, partitions, replicationFactor, cleanup, time, maxMessageBytes, doc);
    }

    /** Topic configuration in Kafka's own keys. */
    public Map<String, String> configs() {
        Map<String, String> configs = new LinkedHashMap<>();
        configs.put("cleanup.policy", cleanup.policy());
        if (cleanup != Cleanup.COMPACT) {
            configs.put("retention.ms", Long.toString(retention.toMillis()));
        }
        if (cleanup == Cleanup.COMPACT_DELETE) {
            configs.put("min.compaction.lag.ms", Long.toString(LOG_TIME.toMillis()));
        }
        configs.put("max.message.bytes", Integer.toString(maxMessageBytes));
        return configs;
    }

    NewTopic toNewTopic() {
        Optional<Short> replication =
                replicationFactor == BROKER_DEFAULT ? Optional.empty() : Optional.of(replicationFactor);
        return new NewTopic(name, Optional.of(partitions), replication).configs(configs());
    }
}

package io.linesight.app.doctor;

import io.linesight.schemas.topics.SizeLimits;
import io.linesight.schemas.topics.TopicSpec;
import io.linesight.schemas.topics.Topics;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.common.acl.AclOperation;

/** Finds what is wrong with topics, from their descriptions alone. */
final class TopicRules {
    private static final long HOUR = 3_600_000;

    private final String bootstrap;
    private final Topics catalogue;

    TopicRules(String bootstrap, Topics catalogue) {
        this.bootstrap = bootstrap;
        this.catalogue = catalogue;
    }

    /** @param brokers in the cluster */
    List<Finding> check(List<Need> needs, Map<String, TopicView> existing, int brokers) {
        List<Finding> found = new ArrayList<>();
        for (Need need : needs) {
            TopicView topic = existing.get(need.topic().name());
            if (topic == null) checkMissing(need.topic(), brokers, found);
            else checkTopic(need, topic, found);
        }
        checkSingleCopies(needs, existing, found);
        checkPartitions(existing, found);
        return found;
    }

    private void checkMissing(TopicSpec spec, int brokers, List<Finding> found) {
        found.add(Finding.of(
                Problem.TOPIC_MISSING, spec.name(), "it does not exist", "linesight topics --bootstrap " + bootstrap));
        if (spec.replicationFactor() <= brokers) return;
        found.add(Finding.of(
                Problem.REPLICATION_TOO_HIGH,
                spec.name(),
                Topics.REPLICATION_CONFIG + "=" + spec.replicationFactor() + ", and there are " + brokers
                        + " brokers"));
    }

    private void checkTopic(Need need, TopicView topic, List<Finding> found) {
        checkCopies(topic, found);
        // Without the right to read them, nothing is known of the settings.
        if (topic.configs().isEmpty()) return;
        checkSize(need, topic, found);
        switch (need.topic().cleanup()) {
            case COMPACT -> checkCompacted(need.topic(), topic, found);
            case DELETE -> checkRetention(need.topic(), topic, found);
            // Compacted or not, the latest record of a key is there while its age allows.
            case COMPACT_DELETE -> {
                if (topic.deletes()) checkAge(topic, need.topic().retention().toMillis(), found);
            }
        }
    }

    private static void checkSingleCopies(List<Need> needs, Map<String, TopicView> existing, List<Finding> found) {
        List<String> single = needs.stream()
                .map(n -> existing.get(n.topic().name()))
                .filter(t -> t != null && t.replication() == 1)
                .map(TopicView::name)
                .toList();
        if (single.isEmpty()) return;
        found.add(Finding.of(
                Problem.SINGLE_COPY,
                single.size() == 1 ? single.get(0) : single.size() + " topics",
                "there is one copy of every partition"));
    }

    private void checkCopies(TopicView t, List<Finding> found) {
        if (t.offline() > 0)
            found.add(Finding.of(
                    Problem.PARTITION_OFFLINE,
                    t.name(),
                    t.offline() + " of " + t.partitions() + " partitions have no leader"));
        long min = t.number("min.insync.replicas", 1);
        if (min > t.replication()) {
            found.add(Finding.of(
                    Problem.ISR_TOO_FEW,
                    t.name(),
                    "min.insync.replicas is " + min + ", and there are " + t.replication() + " copies",
                    alter(t.name(), "min.insync.replicas=" + Math.max(1, t.replication() - 1))));
        } else if (t.replication() > 1 && (min == t.replication() || t.inSync() <= min)) {
            found.add(Finding.of(
                    Problem.ISR_FRAGILE,
                    t.name(),
                    t.inSync() + " of " + t.replication() + " copies are in sync, min.insync.replicas is " + min));
        }
    }

    private void checkSize(Need need, TopicView t, List<Finding> found) {
        long accepted = t.number("max.message.bytes", Long.MAX_VALUE);
        int needed = need.topic().maxMessageBytes();
        if (accepted >= needed) return;
        String message = "max.message.bytes is " + accepted + ", and records of up to " + needed + " are written to it"
                + (t.name().equals(catalogue.frames().name())
                        ? " (" + SizeLimits.FRAME_BYTES_CONFIG + "="
                                + catalogue.limits().frameBytes() + "): the broker rejects larger frames at the camera"
                        : "");
        found.add(Finding.of(
                Problem.TOPIC_TOO_SMALL,
                t.name(),
                message,
                alter(t.name(), "max.message.bytes=" + needed) + ", or lower " + SizeLimits.FRAME_BYTES_CONFIG));
    }

    private void checkCompacted(TopicSpec spec, TopicView t, List<Finding> found) {
        if (t.compacts() && !t.deletes()) return;
        String lost = spec.name().equals(catalogue.modelChunks().name())
                ? "chunks of checkpoints that instances still need vanish"
                : "the last record of a key vanishes";
        found.add(Finding.of(
                Problem.NOT_COMPACTED,
                t.name(),
                "cleanup.policy is " + policy(t) + ": " + lost,
                alter(t.name(), "cleanup.policy=compact")));
    }

    private void checkRetention(TopicSpec spec, TopicView t, List<Finding> found) {
        boolean history = spec.name().equals(catalogue.rollouts().name());
        long catalogueMillis = spec.retention().toMillis();
        if (t.compacts()) {
            found.add(Finding.of(
                    Problem.COMPACTED,
                    t.name(),
                    "cleanup.policy is " + policy(t) + ": of records with one key (" + (history ? "channel" : "camera")
                            + ") only the last stays",
                    alter(t.name(), "cleanup.policy=delete,retention.ms=" + catalogueMillis)));
        }
        if (history) checkHistory(t, catalogueMillis, found);
        else checkAge(t, catalogueMillis, found);
    }

    private void checkHistory(TopicView t, long catalogueMillis, List<Finding> found) {
        long kept = t.number("retention.ms", -1);
        long bytes = t.number("retention.bytes", -1);
        boolean cut = kept >= 0 && kept < catalogueMillis || bytes >= 0;
        if (!t.deletes() || !cut) return;
        found.add(Finding.of(
                Problem.HISTORY_CUT,
                t.name(),
                "retention.ms is " + kept + ", retention.bytes is " + bytes,
                alter(t.name(), "retention.ms=-1,retention.bytes=-1")));
    }

    private void checkAge(TopicView t, long catalogueMillis, List<Finding> found) {
        long kept = t.number("retention.ms", -1);
        long bytes = t.number("retention.bytes", -1);
        if (kept >= 0 && (kept < HOUR || kept < catalogueMillis / 10)) {
            found.add(Finding.of(
                    Problem.RETENTION_SHORT,
                    t.name(),
                    "records are kept for " + kept / 1000 + " s; the catalogue has " + catalogueMillis / HOUR + " h",
                    alter(t.name(), "retention.ms=" + catalogueMillis)));
        } else if (bytes >= 0) {
            found.add(Finding.of(
                    Problem.RETENTION_SHORT,
                    t.name(),
                    "a partition is cut at " + bytes + " bytes, whatever the age of its records",
                    alter(t.name(), "retention.bytes=-1")));
        }
    }

    private static String policy(TopicView t) {
        return t.configs().getOrDefault("cleanup.policy", "?");
    }

    private void checkPartitions(Map<String, TopicView> existing, List<Finding> found) {
        TopicView frames = existing.get(catalogue.frames().name());
        for (TopicSpec spec :
                List.of(catalogue.results(), catalogue.anomalies(), catalogue.alerts(), catalogue.alertActions())) {
            TopicView t = existing.get(spec.name());
            if (frames != null && t != null && t.partitions() != frames.partitions()) {
                found.add(Finding.of(
                        Problem.PARTITIONS_DIFFER,
                        t.name(),
                        "it has " + t.partitions() + " partitions, " + frames.name() + " has " + frames.partitions()));
            }
        }
    }

    private String alter(String topic, String configs) {
        return "kafka-configs --bootstrap-server " + bootstrap + " --alter --entity-type topics --entity-name " + topic
                + " --add-config " + configs;
    }

    /** Operations that the broker says are not allowed. */
    static List<Finding> rights(List<Need> needs, Map<String, TopicView> existing) {
        List<Finding> found = new ArrayList<>();
        for (Need need : needs) {
            TopicView t = existing.get(need.topic().name());
            if (t == null || t.allowed() == null || t.allowed().contains(AclOperation.ALL)) continue;
            Set<AclOperation> lacks = EnumSet.copyOf(need.operations());
            lacks.removeAll(t.allowed());
            if (!lacks.isEmpty()) {
                found.add(Finding.of(
                        Problem.ACL_MISSING,
                        t.name(),
                        "not allowed: " + lacks.stream().map(AclOperation::name).collect(Collectors.joining(", "))));
            }
        }
        return found;
    }
}

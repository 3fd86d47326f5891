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

/** What is wrong with topics, from what was seen of them alone. */
final class TopicRules {
    private static final long HOUR = 3_600_000;

    private final String bootstrap;
    private final Topics catalogue;

    TopicRules(String bootstrap, Topics catalogue) {
        this.bootstrap = bootstrap;
        this.catalogue = catalogue;
    }

    /** @param brokers in the cluster */
    List<Finding> check(List<Need> needs, Map<String, TopicView> seen, int brokers) {
        List<Finding> found = new ArrayList<>();
        for (Need need : needs) {
            TopicSpec spec = need.topic();
            TopicView topic = seen.get(spec.name());
            if (topic == null) {
                found.add(Finding.of(
                        Problem.TOPIC_MISSING,
                        spec.name(),
                        "it does not exist",
                        "linesight topics --bootstrap " + bootstrap));
                if (spec.replicationFactor() > brokers) {
                    found.add(Finding.of(
                            Problem.REPLICATION_TOO_HIGH,
                            spec.name(),
                            Topics.REPLICATION_CONFIG + "=" + spec.replicationFactor() + ", and there are " + brokers
                                    + " brokers"));
                }
                continue;
            }
            copies(topic, found);
            if (topic.configs().isEmpty()) continue;
            size(need, topic, found);
            cleanup(spec, topic, found);
        }
        List<String> single = needs.stream()
                .map(n -> seen.get(n.topic().name()))
                .filter(t -> t != null && t.replication() == 1)
                .map(TopicView::name)
                .toList();
        if (!single.isEmpty())
            found.add(Finding.of(
                    Problem.SINGLE_COPY,
                    single.size() == 1 ? single.get(0) : single.size() + " topics",
                    "there is one copy of every partition"));
        partitions(seen, found);
        return found;
    }

    private void copies(TopicView t, List<Finding> found) {
        if (t.offline() > 0)
            found.add(Finding.of(
                    Problem.PARTITION_OFFLINE,
                    t.name(),
                    t.offline() + " of " + t.partitions() + " partitions have no leader"));
        long least = t.number("min.insync.replicas", 1);
        if (least > t.replication()) {
            found.add(Finding.of(
                    Problem.ISR_TOO_FEW,
                    t.name(),
                    "min.insync.replicas is " + least + ", and there are " + t.replication() + " copies",
                    alter(t.name(), "min.insync.replicas=" + Math.max(1, t.replication() - 1))));
        } else if (t.replication() > 1 && (least == t.replication() || t.inSync() <= least)) {
            found.add(Finding.of(
                    Problem.ISR_FRAGILE,
                    t.name(),
                    t.inSync() + " of " + t.replication() + " copies are in sync, min.insync.replicas is " + least));
        }
    }

    private void size(Need need, TopicView t, List<Finding> found) {
        long takes = t.number("max.message.bytes", Long.MAX_VALUE);
        int wanted = need.topic().maxMessageBytes();
        if (takes >= wanted) return;
        String message = "max.message.bytes is " + takes + ", and records of up to " + wanted + " are written to it"
                + (t.name().equals(catalogue.frames().name())
                        ? " (" + SizeLimits.FRAME_BYTES_CONFIG + "="
                                + catalogue.limits().frameBytes() + "): the broker refuses larger frames at the camera"
                        : "");
        found.add(Finding.of(
                Problem.TOPIC_TOO_SMALL,
                t.name(),
                message,
                alter(t.name(), "max.message.bytes=" + wanted) + ", or lower " + SizeLimits.FRAME_BYTES_CONFIG));
    }

    private void cleanup(TopicSpec spec, TopicView t, List<Finding> found) {
        String policy = t.configs().getOrDefault("cleanup.policy", "?");
        if (spec.cleanup() == TopicSpec.Cleanup.COMPACT) {
            if (!t.compacts() || t.deletes()) {
                String lost = spec.name().equals(catalogue.modelChunks().name())
                        ? "chunks of checkpoints that instances still need vanish"
                        : "the last record of a key vanishes";
                found.add(Finding.of(
                        Problem.NOT_COMPACTED,
                        t.name(),
                        "cleanup.policy is " + policy + ": " + lost,
                        alter(t.name(), "cleanup.policy=compact")));
            }
            return;
        }
        boolean history = spec.name().equals(catalogue.rollouts().name());
        if (t.compacts()) {
            found.add(Finding.of(
                    Problem.COMPACTED,
                    t.name(),
                    "cleanup.policy is " + policy + ": of records with one key (" + (history ? "channel" : "camera")
                            + ") only the last stays",
                    alter(
                            t.name(),
                            "cleanup.policy=delete,retention.ms="
                                    + spec.retention().toMillis())));
        }
        long kept = t.number("retention.ms", -1);
        long bytes = t.number("retention.bytes", -1);
        if (history) {
            if (t.deletes() && (kept >= 0 && kept < spec.retention().toMillis() || bytes >= 0)) {
                found.add(Finding.of(
                        Problem.HISTORY_CUT,
                        t.name(),
                        "retention.ms is " + kept + ", retention.bytes is " + bytes,
                        alter(t.name(), "retention.ms=-1,retention.bytes=-1")));
            }
        } else if (kept >= 0 && kept < HOUR
                || kept >= 0 && kept < spec.retention().toMillis() / 10) {
            found.add(Finding.of(
                    Problem.RETENTION_SHORT,
                    t.name(),
                    "records are kept for " + kept / 1000 + " s; the catalogue has "
                            + spec.retention().toHours() + " h",
                    alter(t.name(), "retention.ms=" + spec.retention().toMillis())));
        } else if (bytes >= 0) {
            found.add(Finding.of(
                    Problem.RETENTION_SHORT,
                    t.name(),
                    "a partition is cut at " + bytes + " bytes, however young the records",
                    alter(t.name(), "retention.bytes=-1")));
        }
    }

    private void partitions(Map<String, TopicView> seen, List<Finding> found) {
        TopicView frames = seen.get(catalogue.frames().name());
        for (TopicSpec spec : List.of(catalogue.results(), catalogue.anomalies())) {
            TopicView t = seen.get(spec.name());
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
    static List<Finding> rights(List<Need> needs, Map<String, TopicView> seen) {
        List<Finding> found = new ArrayList<>();
        for (Need need : needs) {
            TopicView t = seen.get(need.topic().name());
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

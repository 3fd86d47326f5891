package io.linesight.app.doctor;

import io.linesight.schemas.clients.GroupMembers;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.DescribeConsumerGroupsOptions;
import org.apache.kafka.clients.admin.DescribeTopicsOptions;
import org.apache.kafka.clients.admin.FinalizedVersionRange;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.TransactionalIdNotFoundException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.server.common.MetadataVersion;
import org.jspecify.annotations.Nullable;

/**
 * Reads a cluster; changes nothing. Without the right to read something, optional facts are left out, and needed ones
 * throw.
 */
final class ClusterReader {
    private final Admin admin;

    ClusterReader(Admin admin) {
        this.admin = admin;
    }

    /** @param version of the cluster's metadata, as 4.3-IV0; empty where the cluster does not say */
    record Cluster(String id, int brokers, Optional<String> version, Map<String, String> configs) {}

    /** @param lag frames between what is committed and the end; -1 when nothing was committed yet */
    record Group(List<GroupMembers.Member> members, long lag, String state) {}

    Cluster cluster() throws ExecutionException, InterruptedException {
        var described = admin.describeCluster();
        String id = described.clusterId().get();
        var nodes = described.nodes().get();
        Optional<String> version = Optional.empty();
        Map<String, String> configs = new HashMap<>();
        try {
            FinalizedVersionRange level = admin.describeFeatures()
                    .featureMetadata()
                    .get()
                    .finalizedFeatures()
                    .get(MetadataVersion.FEATURE_NAME);
            if (level != null) version = Optional.of(named(level.maxVersionLevel()));
            ConfigResource broker = new ConfigResource(
                    ConfigResource.Type.BROKER, nodes.iterator().next().idString());
            admin.describeConfigs(List.of(broker))
                    .all()
                    .get()
                    .get(broker)
                    .entries()
                    .forEach(e -> {
                        if (e.value() != null) configs.put(e.name(), e.value());
                    });
        } catch (ExecutionException e) {
            if (!(e.getCause() instanceof AuthorizationException)) throw e;
        }
        return new Cluster(id, nodes.size(), version, configs);
    }

    private static String named(short level) {
        try {
            return MetadataVersion.fromFeatureLevel(level).version();
        } catch (IllegalArgumentException newer) {
            return "newer than " + MetadataVersion.latestProduction().version();
        }
    }

    /** Topics that exist, by name. */
    Map<String, TopicView> topics(Set<String> names) throws ExecutionException, InterruptedException {
        Map<String, TopicView> views = new LinkedHashMap<>();
        Map<String, KafkaFuture<TopicDescription>> described = admin.describeTopics(
                        names, new DescribeTopicsOptions().includeAuthorizedOperations(true))
                .topicNameValues();
        for (String name : names) {
            try {
                views.put(name, view(described.get(name).get()));
            } catch (ExecutionException e) {
                if (e.getCause() instanceof UnknownTopicOrPartitionException) continue;
                if (!(e.getCause() instanceof AuthorizationException)) throw e;
                views.put(name, new TopicView(name, 0, 0, 0, 0, Map.of(), Set.of()));
            }
        }
        return views;
    }

    private TopicView view(TopicDescription topic) throws ExecutionException, InterruptedException {
        List<TopicPartitionInfo> partitions = topic.partitions();
        return new TopicView(
                topic.name(),
                partitions.size(),
                partitions.stream().mapToInt(p -> p.replicas().size()).min().orElse(0),
                partitions.stream().mapToInt(p -> p.isr().size()).min().orElse(0),
                (int) partitions.stream()
                        .filter(p -> p.leader() == null || p.leader().isEmpty())
                        .count(),
                configs(topic.name()),
                topic.authorizedOperations());
    }

    private Map<String, String> configs(String topic) throws ExecutionException, InterruptedException {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        Map<String, String> configs = new HashMap<>();
        try {
            admin.describeConfigs(List.of(resource))
                    .all()
                    .get()
                    .get(resource)
                    .entries()
                    .forEach(e -> {
                        if (e.value() != null) configs.put(e.name(), e.value());
                    });
        } catch (ExecutionException e) {
            if (!(e.getCause() instanceof AuthorizationException)) throw e;
        }
        return configs;
    }

    /** Newest timestamp of a topic in milliseconds; -1 when it is empty. */
    long newest(TopicView topic) throws ExecutionException, InterruptedException {
        return admin.listOffsets(all(topic, OffsetSpec.maxTimestamp())).all().get().values().stream()
                .mapToLong(ListOffsetsResultInfo::timestamp)
                .max()
                .orElse(-1);
    }

    private static Map<TopicPartition, OffsetSpec> all(TopicView topic, OffsetSpec spec) {
        Map<TopicPartition, OffsetSpec> wanted = new HashMap<>();
        for (int p = 0; p < topic.partitions(); p++) wanted.put(new TopicPartition(topic.name(), p), spec);
        return wanted;
    }

    /** @throws ExecutionException caused by GroupIdNotFoundException when nobody has ever used it */
    Group group(String id, TopicView reads) throws ExecutionException, InterruptedException {
        ConsumerGroupDescription d = admin.describeConsumerGroups(List.of(id))
                .describedGroups()
                .get(id)
                .get();
        Map<TopicPartition, OffsetAndMetadata> committed = admin.listConsumerGroupOffsets(id)
                .partitionsToOffsetAndMetadata()
                .get();
        Map<TopicPartition, Long> ends = new HashMap<>();
        admin.listOffsets(all(reads, OffsetSpec.latest())).all().get().forEach((p, o) -> ends.put(p, o.offset()));
        long lag = -1;
        for (Map.Entry<TopicPartition, Long> e : ends.entrySet()) {
            OffsetAndMetadata o = committed.get(e.getKey());
            if (o != null) lag = Math.max(0, lag) + Math.max(0, e.getValue() - o.offset());
        }
        return new Group(GroupMembers.of(d), lag, d.groupState().toString());
    }

    /** What the principal may do with a group; null when the broker does not say. */
    @Nullable
    Set<AclOperation> groupRights(String id) throws ExecutionException, InterruptedException {
        try {
            Set<AclOperation> allowed = admin.describeConsumerGroups(
                            List.of(id), new DescribeConsumerGroupsOptions().includeAuthorizedOperations(true))
                    .describedGroups()
                    .get(id)
                    .get()
                    .authorizedOperations();
            return allowed == null ? null : new HashSet<>(allowed);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof AuthorizationException) return Set.of();
            // A group that nobody has used yet says nothing of who may use it.
            if (e.getCause() instanceof org.apache.kafka.common.errors.GroupIdNotFoundException) return null;
            throw e;
        }
    }

    /** Whether a transactional id may be described, which whoever may write with it may. */
    boolean canDescribeTransactions(String id) throws ExecutionException, InterruptedException {
        try {
            admin.describeTransactions(List.of(id)).all().get();
            return true;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof TransactionalIdNotFoundException) return true;
            if (e.getCause() instanceof AuthorizationException) return false;
            throw e;
        }
    }

    static String names(Set<AclOperation> operations) {
        return operations.stream().map(AclOperation::name).sorted().collect(Collectors.joining(" "));
    }
}

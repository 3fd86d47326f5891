package io.linesight.trainer.learning;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor;
import org.apache.kafka.common.Cluster;
import org.apache.kafka.common.TopicPartition;

/**
 * Gives every partition to one member of the group and keeps it there while that member lives: the group is a lease.
 * Public because Kafka instantiates it.
 */
public final class SoleOwnerAssignor implements ConsumerPartitionAssignor {
    @Override
    public String name() {
        return "linesight-sole-owner";
    }

    /**
     * Cooperative only: with the eager protocol all members release their partitions first, and the owner would change
     * without need.
     */
    @Override
    public List<RebalanceProtocol> supportedProtocols() {
        return List.of(RebalanceProtocol.COOPERATIVE);
    }

    @Override
    public GroupAssignment assign(Cluster metadata, GroupSubscription subscriptions) {
        Map<String, Subscription> members = subscriptions.groupSubscription();
        String owner = null;
        int generation = -1;
        for (String member : members.keySet().stream().sorted().toList()) {
            Subscription s = members.get(member);
            if (s.ownedPartitions().isEmpty()) continue;
            int g = s.generationId().orElse(-1);
            // Of two members that claim it, the one with the later generation is right.
            if (owner == null || g > generation) {
                owner = member;
                generation = g;
            }
        }
        if (owner == null)
            owner = members.keySet().stream().min(String::compareTo).orElse(null);
        Map<String, Assignment> assignment = new HashMap<>();
        for (Map.Entry<String, Subscription> m : members.entrySet()) {
            List<TopicPartition> mine = new ArrayList<>();
            if (m.getKey().equals(owner)) {
                for (String topic : m.getValue().topics()) {
                    Integer count = metadata.partitionCountForTopic(topic);
                    for (int p = 0; count != null && p < count; p++) mine.add(new TopicPartition(topic, p));
                }
            }
            assignment.put(m.getKey(), new Assignment(mine));
        }
        return new GroupAssignment(assignment);
    }
}

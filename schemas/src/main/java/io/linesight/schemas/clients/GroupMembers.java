package io.linesight.schemas.clients;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.common.TopicPartition;

/** Tells the members of a consumer group that are ours from those of another program that took the same id. */
public final class GroupMembers {

    /** What Kafka Streams appends to the client's id, whatever that is. */
    private static final String STREAMS_CLIENT = ".+-StreamThread-\\d+-consumer.*";

    /**
     * How Kafka Streams names its protocol; the members of a group agree on one, so no plain consumer is among them.
     */
    private static final String STREAMS_ASSIGNOR = "stream";

    /**
     * A member of a group.
     *
     * @param clientId as the client named itself
     * @param host where it connects from
     * @param topics of the partitions it has
     * @param assignor by which the group shares its partitions; empty while the group still agrees on one
     */
    public record Member(String clientId, String host, Set<String> topics, String assignor) {
        public Member {
            topics = Set.copyOf(topics);
        }

        @Override
        public String toString() {
            return clientId + " on " + host.replaceFirst("^/", "")
                    + (topics.isEmpty() ? "" : " reading " + String.join(", ", new TreeSet<>(topics)));
        }
    }

    private GroupMembers() {}

    /** The members as the broker describes them. */
    public static List<Member> of(ConsumerGroupDescription group) {
        List<Member> members = new ArrayList<>();
        for (MemberDescription m : group.members()) {
            Set<String> topics = new TreeSet<>();
            for (TopicPartition p : m.assignment().topicPartitions()) topics.add(p.topic());
            members.add(new Member(m.clientId(), m.host(), topics, group.partitionAssignor()));
        }
        return members;
    }

    /**
     * Members that are not instances of the inspection app on these topics. The client's id is a person's choice
     * ({@code client.id}) and tells nothing; that of a group's assignor is not.
     *
     * @param topics that the app reads
     */
    public static List<Member> foreign(List<Member> members, Set<String> topics) {
        return members.stream()
                .filter(m -> !isStreams(m) || !topics.containsAll(m.topics()))
                .toList();
    }

    private static boolean isStreams(Member member) {
        return member.assignor().isEmpty()
                ? member.clientId().matches(STREAMS_CLIENT)
                : member.assignor().equals(STREAMS_ASSIGNOR);
    }
}

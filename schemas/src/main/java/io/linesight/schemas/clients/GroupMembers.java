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

    /** Suffix of a stream thread's consumer. */
    private static final String STREAMS_CLIENT = "-StreamThread-\\d+-consumer.*";

    /**
     * A member of a group.
     *
     * @param clientId as the client named itself
     * @param host where it connects from
     * @param topics of the partitions it has
     */
    public record Member(String clientId, String host, Set<String> topics) {
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
            members.add(new Member(m.clientId(), m.host(), topics));
        }
        return members;
    }

    /**
     * Members that are not instances of the inspection app with this id on these topics.
     *
     * @param applicationId the group
     * @param topics that the app reads
     */
    public static List<Member> foreign(List<Member> members, String applicationId, Set<String> topics) {
        return members.stream()
                .filter(m -> !m.clientId().startsWith(applicationId + "-")
                        || !m.clientId().matches(".*" + STREAMS_CLIENT)
                        || !topics.containsAll(m.topics()))
                .toList();
    }
}

package io.linesight.trainer.learning;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Assignment;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.GroupSubscription;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Subscription;
import org.apache.kafka.common.Cluster;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

class SoleOwnerAssignorTest {
    private static final Node NODE = new Node(1, "localhost", 1);
    private static final List<TopicPartition> ALL =
            List.of(new TopicPartition("labels", 0), new TopicPartition("labels", 1), new TopicPartition("labels", 2));
    private static final Cluster CLUSTER = new Cluster(
            "c",
            List.of(NODE),
            ALL.stream()
                    .map(p -> new PartitionInfo("labels", p.partition(), NODE, new Node[] {NODE}, new Node[] {NODE}))
                    .toList(),
            Set.of(),
            Set.of());

    private static Subscription member(int generation, List<TopicPartition> owned) {
        return new Subscription(List.of("labels"), null, owned, generation, Optional.empty());
    }

    private static Map<String, Assignment> assign(Map<String, Subscription> members) {
        return new SoleOwnerAssignor()
                .assign(CLUSTER, new GroupSubscription(members))
                .groupAssignment();
    }

    @Test
    void shouldGiveEverythingToOneAndNothingToTheOthers() {
        Map<String, Assignment> a = assign(new HashMap<>(
                Map.of("b", member(-1, List.of()), "a", member(-1, List.of()), "c", member(-1, List.of()))));
        assertThat(a.get("a").partitions()).containsExactlyElementsOf(ALL);
        assertThat(a.get("b").partitions()).isEmpty();
        assertThat(a.get("c").partitions()).isEmpty();
    }

    @Test
    void shouldKeepTheOwnerWhenOthersComeAndGo() {
        Map<String, Assignment> a = assign(new HashMap<>(Map.of("a", member(4, List.of()), "z", member(4, ALL))));
        assertThat(a.get("z").partitions()).containsExactlyElementsOf(ALL);
        assertThat(a.get("a").partitions()).isEmpty();
    }

    @Test
    void shouldBelieveTheOneWhoHeardOfTheGroupLast() {
        Map<String, Assignment> a = assign(new HashMap<>(Map.of("a", member(4, ALL), "z", member(6, ALL))));
        assertThat(a.get("z").partitions()).containsExactlyElementsOf(ALL);
        assertThat(a.get("a").partitions()).isEmpty();
    }

    @Test
    void shouldGiveTheOwnerPartitionsThatAreNew() {
        Map<String, Assignment> a =
                assign(new HashMap<>(Map.of("a", member(2, List.of()), "z", member(2, ALL.subList(0, 1)))));
        assertThat(a.get("z").partitions()).containsExactlyElementsOf(ALL);
    }
}

package io.linesight.app.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.schemas.clients.GroupMembers.Member;
import io.linesight.schemas.topics.SizeLimits;
import io.linesight.schemas.topics.TopicSpec;
import io.linesight.schemas.topics.Topics;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.common.acl.AclOperation;
import org.junit.jupiter.api.Test;

/** The doctor's judgement on clusters that were made up. */
class TopicRulesTest {
    private static final Topics TOPICS = Topics.of("plant", 4, (short) 3, SizeLimits.defaults());
    private static final Needs ALL = Needs.of(Part.ALL, TOPICS, true, true, "inspection", "trainer");

    /** A cluster that is as it should be. */
    private static Map<String, TopicView> sound() {
        Map<String, TopicView> seen = new HashMap<>();
        for (TopicSpec t : TOPICS.all()) seen.put(t.name(), view(t, Map.of()));
        return seen;
    }

    private static TopicView view(TopicSpec t, Map<String, String> other) {
        Map<String, String> configs = new HashMap<>(t.configs());
        configs.put("min.insync.replicas", "2");
        configs.putAll(other);
        return new TopicView(t.name(), t.partitions(), 3, 3, 0, configs, EnumSet.allOf(AclOperation.class));
    }

    private static List<Finding> findings(Map<String, TopicView> seen, int brokers) {
        return new TopicRules("b:9092", TOPICS).check(ALL.topics(), seen, brokers);
    }

    private static List<Finding> mangled(TopicSpec topic, String key, String value) {
        Map<String, TopicView> seen = sound();
        seen.put(topic.name(), view(topic, Map.of(key, value)));
        return findings(seen, 3);
    }

    private static void only(List<Finding> found, Problem problem, TopicSpec topic, String... says) {
        assertThat(found).singleElement().satisfies(f -> {
            assertThat(f.problem()).isEqualTo(problem);
            assertThat(f.subject()).isEqualTo(topic.name());
            assertThat(f.message() + " " + f.fix()).contains(says);
        });
    }

    @Test
    void shouldFindNothingWhereNothingIsWrong() {
        assertThat(findings(sound(), 3)).isEmpty();
        assertThat(TopicRules.rights(ALL.topics(), sound())).isEmpty();
    }

    @Test
    void shouldFindATopicThatIsSmallerThanItsRecords() {
        only(
                mangled(TOPICS.frames(), "max.message.bytes", "1048588"),
                Problem.TOPIC_TOO_SMALL,
                TOPICS.frames(),
                "1048588",
                "linesight.max.frame.bytes=8388608",
                "at the camera",
                "kafka-configs --bootstrap-server b:9092 --alter --entity-type topics --entity-name plant.frames.v1 "
                        + "--add-config max.message.bytes=8454144");
        assertThat(mangled(TOPICS.frames(), "max.message.bytes", "99999999")).isEmpty();
    }

    @Test
    void shouldFindTheWrongCleanup() {
        only(
                mangled(TOPICS.frames(), "cleanup.policy", "compact"),
                Problem.COMPACTED,
                TOPICS.frames(),
                "only the last stays",
                "cleanup.policy=delete");
        only(
                mangled(TOPICS.modelChunks(), "cleanup.policy", "delete"),
                Problem.NOT_COMPACTED,
                TOPICS.modelChunks(),
                "chunks of checkpoints");
        only(
                mangled(TOPICS.labels(), "cleanup.policy", "compact,delete"),
                Problem.NOT_COMPACTED,
                TOPICS.labels(),
                "compact,delete");
        only(
                mangled(TOPICS.rollouts(), "retention.ms", "604800000"),
                Problem.HISTORY_CUT,
                TOPICS.rollouts(),
                "retention.ms=-1,retention.bytes=-1");
        only(
                mangled(TOPICS.frames(), "retention.ms", "60000"),
                Problem.RETENTION_SHORT,
                TOPICS.frames(),
                "60 s",
                "24 h");
        only(
                mangled(TOPICS.results(), "retention.bytes", "1000"),
                Problem.RETENTION_SHORT,
                TOPICS.results(),
                "1000 bytes");
    }

    @Test
    void shouldFindMissingTopicsAndTooFewBrokers() {
        Map<String, TopicView> seen = sound();
        seen.remove(TOPICS.anomalies().name());
        assertThat(findings(seen, 1))
                .extracting(Finding::problem)
                .containsExactly(Problem.TOPIC_MISSING, Problem.REPLICATION_TOO_HIGH);
        assertThat(findings(seen, 3)).extracting(Finding::fix).containsExactly("linesight topics --bootstrap b:9092");
    }

    @Test
    void shouldFindCopiesThatDoNotSuffice() {
        Map<String, TopicView> seen = sound();
        Map<String, String> configs =
                view(TOPICS.frames(), Map.of("min.insync.replicas", "2")).configs();
        seen.put(TOPICS.frames().name(), new TopicView(TOPICS.frames().name(), 4, 1, 1, 0, configs, null));
        assertThat(findings(seen, 3))
                .extracting(Finding::problem)
                .containsExactly(Problem.ISR_TOO_FEW, Problem.SINGLE_COPY);
        seen.put(TOPICS.frames().name(), new TopicView(TOPICS.frames().name(), 4, 3, 2, 0, configs, null));
        only(findings(seen, 3), Problem.ISR_FRAGILE, TOPICS.frames(), "2 of 3 copies are in sync");
        seen.put(TOPICS.frames().name(), new TopicView(TOPICS.frames().name(), 4, 3, 3, 1, configs, null));
        only(findings(seen, 3), Problem.PARTITION_OFFLINE, TOPICS.frames(), "1 of 4 partitions");
        seen.put(TOPICS.frames().name(), new TopicView(TOPICS.frames().name(), 8, 3, 3, 0, configs, null));
        assertThat(findings(seen, 3))
                .as("results, anomalies, alerts and actions belong to the frames of their partition")
                .extracting(Finding::problem)
                .hasSize(4)
                .containsOnly(Problem.PARTITIONS_DIFFER);
    }

    @Test
    void shouldTakeAlertsCompactedOrNotAsLongAsTheyAreKept() {
        for (String policy : List.of("compact,delete", "compact", "delete"))
            assertThat(mangled(TOPICS.alerts(), "cleanup.policy", policy))
                    .as(policy)
                    .isEmpty();
        only(mangled(TOPICS.alerts(), "retention.ms", "86400000"), Problem.RETENTION_SHORT, TOPICS.alerts(), "86400 s");
    }

    @Test
    void shouldFindMissingRightsAndNameJustTheLeast() {
        Map<String, TopicView> seen = sound();
        TopicView results = seen.get(TOPICS.results().name());
        seen.put(
                results.name(),
                new TopicView(
                        results.name(),
                        4,
                        3,
                        3,
                        0,
                        results.configs(),
                        EnumSet.of(AclOperation.READ, AclOperation.DESCRIBE, AclOperation.DESCRIBE_CONFIGS)));
        only(
                TopicRules.rights(
                        Needs.of(Part.SERVE, TOPICS, false, false, "inspection", "trainer")
                                .topics(),
                        seen),
                Problem.ACL_MISSING,
                TOPICS.results(),
                "not allowed: WRITE");
        assertThat(Needs.of(Part.CAMERA, TOPICS, false, true, "inspection", "trainer")
                        .commands("b:9092", "User:cam"))
                .containsExactly("kafka-acls --bootstrap-server b:9092 --command-config admin.properties --add "
                        + "--allow-principal 'User:cam' --operation Write --topic plant.frames.v1");
        assertThat(Needs.of(Part.SERVE, TOPICS, true, true, "inspection", "trainer")
                        .commands("b:9092", "User:i"))
                .anySatisfy(c -> assertThat(c).endsWith("--operation Read --group inspection"))
                .anySatisfy(c -> assertThat(c)
                        .endsWith("--operation Write --transactional-id inspection- --resource-pattern-type prefixed"))
                .anySatisfy(c -> assertThat(c).endsWith("--operation Read --group inspection-exemptions"))
                .anySatisfy(c -> assertThat(c).endsWith("--operation Read --group inspection-alerts"))
                .anySatisfy(c -> assertThat(c)
                        .endsWith("--operation Read --operation Write --operation Create --topic inspection-alerts- "
                                + "--resource-pattern-type prefixed"))
                .noneSatisfy(c -> assertThat(c).contains("dead-letter").contains("Read"))
                .noneSatisfy(c -> assertThat(c).contains("--operation All"));
    }

    /**
     * The table in docs/operations.md is the list that people copy; what the doctor prints and the security test grants
     * is this one.
     */
    @Test
    void shouldNeedWhatTheTableInTheDocumentsSays() throws Exception {
        List<String> rows = Files.readAllLines(Path.of("..", "docs", "operations.md")).stream()
                .filter(l -> l.startsWith("| ") && l.contains(": WRITE") || l.contains(": READ |"))
                .toList();
        assertThat(rows).hasSize(6);
        Topics topics = Topics.from(Map.of());
        Map<String, Set<AclOperation>> serve = new TreeMap<>(row(rows.get(1)));
        assertThat(row(rows.get(0)))
                .isEqualTo(needed(Needs.of(
                        Part.CAMERA, topics, true, true, "linesight-inspection", "linesight-trainer-<channel>")));
        assertThat(serve).isEqualTo(needed(serve(topics, false, false)));
        Map<String, Set<AclOperation>> alerting = new TreeMap<>(serve);
        alerting.putAll(row(rows.get(3)));
        assertThat(alerting).isEqualTo(needed(serve(topics, false, true)));
        serve.putAll(row(rows.get(2)));
        assertThat(serve).isEqualTo(needed(serve(topics, true, false)));
        assertThat(row(rows.get(4)))
                .isEqualTo(needed(Needs.of(Part.OPCUA, topics, true, true, "linesight-inspection", "none")));
        assertThat(row(rows.get(5)))
                .isEqualTo(needed(Needs.of(
                        Part.TRAIN, topics, true, true, "linesight-inspection", "linesight-trainer-<channel>")));
    }

    private static Needs serve(Topics topics, boolean follows, boolean alerts) {
        return Needs.of(Part.SERVE, topics, follows, alerts, "linesight-inspection", "linesight-trainer-<channel>");
    }

    /** As {@code `frames`, `results`: READ, DESCRIBE_CONFIGS; ...}. */
    private static Map<String, Set<AclOperation>> row(String row) {
        Map<String, Set<AclOperation>> all = new TreeMap<>();
        for (String part : row.substring(row.indexOf('|', 2)).split("[;|]")) {
            Set<AclOperation> operations = EnumSet.noneOf(AclOperation.class);
            for (Matcher m = Pattern.compile("\\b[A-Z][A-Z_]+\\b").matcher(part); m.find(); )
                operations.add(AclOperation.fromString(m.group()));
            for (Matcher m = Pattern.compile("`([^`]+)`").matcher(part); m.find(); ) all.put(m.group(1), operations);
        }
        return all;
    }

    private static Map<String, Set<AclOperation>> needed(Needs needs) {
        Map<String, Set<AclOperation>> all = new TreeMap<>();
        needs.topics().forEach(n -> all.put(n.topic().name().replaceAll("^linesight\\.|\\.v1$", ""), n.operations()));
        needs.groups().forEach(g -> all.put(g, EnumSet.of(AclOperation.READ)));
        needs.ownTopics()
                .forEach(t -> all.put(t + "*", EnumSet.of(AclOperation.CREATE, AclOperation.READ, AclOperation.WRITE)));
        needs.transactionalIds().forEach(id -> all.put(id + "*", EnumSet.of(AclOperation.WRITE)));
        return all;
    }

    @Test
    void shouldTellMembersOfAnotherProgram() {
        List<Finding> found = new ArrayList<>();
        Member ours = new Member(
                "inspection-3fd8a1c2-StreamThread-1-consumer", "/10.0.0.7", Set.of("plant.frames.v1"), "stream");
        ClusterChecks.checkMembers(List.of(ours), "inspection", "plant.frames.v1", found);
        assertThat(found).isEmpty();
        Member plain = new Member("consumer-inspection-1", "/10.0.0.9", Set.of(), "range");
        Member otherTopic =
                new Member("inspection-77-StreamThread-1-consumer", "/10.0.0.8", Set.of("orders"), "stream");
        ClusterChecks.checkMembers(List.of(ours, plain, otherTopic), "inspection", "plant.frames.v1", found);
        assertThat(found).extracting(Finding::problem).containsExactly(Problem.GROUP_SHARED, Problem.GROUP_SHARED);
        assertThat(found.get(0).message()).contains("consumer-inspection-1 on 10.0.0.9");
        assertThat(found.get(1).message()).contains("reading orders");
    }

    @Test
    void shouldMeasureClocks() {
        Instant t = Instant.parse("2026-01-01T00:00:10Z");
        assertThat(RegistryChecks.skew(t, t.plusMillis(200), t.plusMillis(300))).isZero();
        assertThat(RegistryChecks.skew(t, t.plusSeconds(31), t.plusSeconds(31))).isEqualTo(Duration.ofSeconds(30));
        assertThat(RegistryChecks.skew(t, t.minusSeconds(31), t.minusSeconds(30)))
                .isEqualTo(Duration.ofSeconds(-30));
        List<Finding> found = new ArrayList<>();
        ClusterChecks.checkAhead(t.toEpochMilli() + 4_000, t, "plant.frames.v1", found);
        ClusterChecks.checkAhead(-1, t, "plant.frames.v1", found);
        assertThat(found).isEmpty();
        ClusterChecks.checkAhead(t.toEpochMilli() + 60_000, t, "plant.frames.v1", found);
        assertThat(found).singleElement().satisfies(f -> assertThat(f.message())
                .contains("60 s ahead", "limit is 5 s"));
    }

    @Test
    void shouldExplainEveryProblem() {
        for (Problem p : Problem.values()) {
            assertThat(p.what()).as(p.name()).hasSizeGreaterThan(20);
            assertThat(p.fix()).as(p.name()).hasSizeGreaterThan(10);
        }
    }
}

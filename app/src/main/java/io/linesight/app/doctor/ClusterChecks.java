package io.linesight.app.doctor;

import io.linesight.app.doctor.Check.NotApplicable;
import io.linesight.schemas.clients.GroupMembers;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.jspecify.annotations.Nullable;

/** Checks of topics, rights and the consumer group. {@link #topics} runs first; the others use what it has seen. */
final class ClusterChecks {
    static final long LAG_LIMIT = 1_000;

    private final DoctorOptions options;
    private final Needs needs;
    private final Supplier<Principal> principal;
    private volatile Map<String, TopicView> existing = Map.of();

    /** @param principal whom the broker takes the doctor for; may take a moment */
    ClusterChecks(DoctorOptions options, Needs needs, Supplier<Principal> principal) {
        this.options = options;
        this.needs = needs;
        this.principal = principal;
    }

    /** Names of the topics that exist, as {@link #topics} has seen them. */
    Set<String> existing() {
        return existing.keySet();
    }

    private Set<String> topicNames() {
        return needs.topics().stream().map(n -> n.topic().name()).collect(Collectors.toCollection(LinkedHashSet::new));
    }

    /** Whether the topics exist and are set up well. */
    String topics(List<Finding> found) throws ExecutionException, InterruptedException {
        int brokers;
        try (Admin admin = options.openAdmin()) {
            ClusterReader reader = new ClusterReader(admin);
            existing = reader.topics(topicNames());
            brokers = admin.describeCluster().nodes().get().size();
        }
        found.addAll(new TopicRules(options.bootstrap(), options.topics()).check(needs.topics(), existing, brokers));
        long unread =
                existing.values().stream().filter(t -> t.configs().isEmpty()).count();
        return existing.size() + " of " + needs.topics().size() + " topics exist"
                + (unread == 0 ? "" : "; the settings of " + unread + " may not be read (DescribeConfigs)");
    }

    /** Whether the principal may do what is needed. */
    String rights(List<Finding> found) throws ExecutionException, InterruptedException {
        found.addAll(TopicRules.rights(needs.topics(), existing));
        List<String> facts = new ArrayList<>();
        try (Admin admin = options.openAdmin()) {
            ClusterReader reader = new ClusterReader(admin);
            for (String group : needs.groups()) facts.add(groupRights(reader, group, found));
            for (String id : needs.transactionalIds()) facts.add(transactionRights(reader, id, found));
        }
        String as = "as " + principal.get();
        if (!options.acls()) return as;
        existing.values().forEach(t -> facts.add(0, t.name() + ": " + describe(t.allowed())));
        return as + System.lineSeparator() + String.join(System.lineSeparator(), facts);
    }

    private static String describe(@Nullable Set<AclOperation> allowed) {
        return allowed == null ? "the broker does not say" : ClusterReader.names(allowed);
    }

    private static String groupRights(ClusterReader reader, String group, List<Finding> found)
            throws ExecutionException, InterruptedException {
        Set<AclOperation> allowed = reader.groupRights(group);
        if (allowed == null) return "group " + group + ": not used yet, so not known";
        if (!allowed.contains(AclOperation.ALL) && !allowed.contains(AclOperation.READ))
            found.add(Finding.of(Problem.ACL_MISSING, "group " + group, "not allowed: READ"));
        return "group " + group + ": " + ClusterReader.names(allowed);
    }

    private static String transactionRights(ClusterReader reader, String id, List<Finding> found)
            throws ExecutionException, InterruptedException {
        boolean visible = reader.canDescribeTransactions(id + "-doctor");
        if (!visible) found.add(Finding.of(Problem.ACL_MISSING, "transactional id " + id + "*", "not allowed: WRITE"));
        return "transactional id " + id + "*: "
                + (visible ? "DESCRIBE; WRITE can only be known by writing" : "nothing");
    }

    /** Whether the group of the inspection app is its own, keeps up, and reads frames of the present. */
    String group(List<Finding> found) throws ExecutionException, InterruptedException, NotApplicable {
        if (options.part() != Part.SERVE && options.part() != Part.ALL)
            throw new NotApplicable("only the inspection app shares one");
        TopicView frames = existing.get(options.topics().frames().name());
        if (frames == null || frames.partitions() == 0)
            throw new NotApplicable("there is no topic of frames, or it may not be described");
        ClusterReader.Group group;
        long newest;
        try (Admin admin = options.openAdmin()) {
            ClusterReader reader = new ClusterReader(admin);
            newest = reader.newest(frames);
            checkAhead(newest, Instant.now(), frames.name(), found);
            FramesLook.look(options, admin, found);
            group = reader.group(options.applicationId(), frames);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof GroupIdNotFoundException)
                return options.applicationId() + " has neither members nor offsets";
            throw e;
        }
        checkMembers(group.members(), options.applicationId(), frames.name(), found);
        if (group.lag() > LAG_LIMIT)
            found.add(Finding.of(
                    Problem.GROUP_LAG, options.applicationId(), group.lag() + " frames wait in " + frames.name()));
        return options.applicationId() + ": " + group.state() + ", "
                + group.members().size() + " stream threads, "
                + (group.lag() < 0 ? "nothing committed yet" : group.lag() + " frames wait");
    }

    /** Finds members that are not instances of the inspection app. */
    static void checkMembers(
            List<GroupMembers.Member> members, String applicationId, String frames, List<Finding> found) {
        List<GroupMembers.Member> foreign = GroupMembers.foreign(members, Set.of(frames));
        for (GroupMembers.Member m : foreign)
            found.add(Finding.of(Problem.GROUP_SHARED, applicationId, "not an instance of this app: " + m));
    }

    /** Finds frames of the future. */
    static void checkAhead(long newestMillis, Instant now, String topic, List<Finding> found) {
        long ahead = newestMillis - now.toEpochMilli();
        if (newestMillis >= 0 && ahead > RegistryChecks.CLOCK_LIMIT.toMillis()) {
            found.add(Finding.of(
                    Problem.CAMERA_AHEAD,
                    topic,
                    "its newest record is " + ahead / 1000 + " s ahead of this machine's clock; the limit is "
                            + RegistryChecks.CLOCK_LIMIT.toSeconds() + " s"));
        }
    }
}

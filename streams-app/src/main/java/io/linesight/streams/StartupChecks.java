package io.linesight.streams;

import io.linesight.schemas.clients.BrokerFault;
import io.linesight.schemas.clients.GroupMembers;
import io.linesight.schemas.registry.RegistryException;
import io.linesight.schemas.registry.SchemaRegistryClient;
import io.linesight.schemas.topics.TopicAdmin;
import io.linesight.schemas.topics.TopicSpec;
import io.linesight.schemas.topics.Topics;
import io.linesight.streams.config.ExemptionSettings;
import io.linesight.streams.config.InspectionConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.DescribeTopicsOptions;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.acl.AclOperation;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What has to be true before frames can flow, asked of everything at once so that one start shows every obstacle. */
final class StartupChecks {

    private static final Logger LOG = LoggerFactory.getLogger(StartupChecks.class);

    private StartupChecks() {}

    /** @param followsRollouts whether the app also writes what concerns models */
    static List<String> problems(InspectionConfig config, boolean needsCheckpoint, boolean followsRollouts) {
        List<String> problems = new ArrayList<>();
        if (needsCheckpoint) checkCheckpoint(config, followsRollouts, problems);
        checkBroker(config, followsRollouts, problems);
        checkRegistry(config, problems);
        return problems;
    }

    private static void checkCheckpoint(InspectionConfig config, boolean followsRollouts, List<String> problems) {
        Path checkpoint = config.checkpoint();
        if (checkpoint == null && followsRollouts) {
            problems.add("The channel '" + config.models().channel()
                    + "' has no champion: promote a version there, name another channel with "
                    + InspectionConfig.CHANNEL + ", or give a model file to begin with (" + InspectionConfig.CHECKPOINT
                    + ")");
        } else if (checkpoint == null) {
            problems.add(InspectionConfig.CHECKPOINT + " is missing: give the model file that fit wrote");
        } else if (!Files.isRegularFile(checkpoint)) {
            problems.add("There is no model file at " + checkpoint.toAbsolutePath() + "; set "
                    + InspectionConfig.CHECKPOINT + " to one that fit wrote");
        } else if (!Files.isReadable(checkpoint)) {
            problems.add("The model file " + checkpoint.toAbsolutePath() + " may not be read by this user");
        }
    }

    /** Topics of other parts of the catalogue may be missing: who needs them asks for them. */
    private static List<TopicSpec> usedTopics(InspectionConfig config, boolean followsRollouts) {
        Topics topics = config.topics();
        List<TopicSpec> used =
                new ArrayList<>(List.of(topics.frames(), topics.results(), topics.anomalies(), topics.deadLetter()));
        if (followsRollouts) used.addAll(List.of(topics.modelStatus(), topics.shadow()));
        switch (config.exemptions().mode(followsRollouts)) {
            case FOLLOW -> used.add(topics.exemptions());
            case LABELS -> used.addAll(List.of(topics.exemptions(), topics.labels()));
            default -> {}
        }
        if (config.live().follows(followsRollouts)) used.add(topics.settings());
        return used;
    }

    /** Rights to a topic that the app cannot do without. */
    private static Set<AclOperation> needed(InspectionConfig config, TopicSpec topic, boolean followsRollouts) {
        Topics topics = config.topics();
        ExemptionSettings.Mode exemptions = config.exemptions().mode(followsRollouts);
        boolean makesThem = exemptions == ExemptionSettings.Mode.LABELS;
        if (List.of(topics.frames(), topics.labels(), topics.settings()).contains(topic))
            return EnumSet.of(AclOperation.READ);
        if (topic.equals(topics.exemptions()) && !makesThem) return EnumSet.of(AclOperation.READ);
        // Frames that passed are what an exemption is compared with.
        return topic.equals(topics.exemptions()) || topic.equals(topics.results()) && makesThem
                ? EnumSet.of(AclOperation.READ, AclOperation.WRITE)
                : EnumSet.of(AclOperation.WRITE);
    }

    private static void checkBroker(InspectionConfig config, boolean followsRollouts, List<String> problems) {
        List<TopicSpec> topics = usedTopics(config, followsRollouts);
        Duration timeout = config.recovery().startupTimeout();
        Map<String, Object> settings = new HashMap<>(config.adminProperties());
        settings.put("default.api.timeout.ms", "" + timeout.toMillis());
        settings.put("request.timeout.ms", "" + Math.min(timeout.toMillis(), 5_000));
        try (Admin admin = Admin.create(settings)) {
            admin.describeCluster().clusterId().get(timeout.toMillis(), TimeUnit.MILLISECONDS);
            List<TopicSpec> there = new ArrayList<>();
            for (TopicAdmin.TopicReport report : TopicAdmin.check(admin, topics)) {
                if (report.state() != TopicAdmin.State.MISSING) there.add(report.topic());
                switch (report.state()) {
                    case MISSING ->
                        problems.add("Topic " + report.topic().name()
                                + " does not exist. Create the topics with: linesight topics"
                                + withoutIt(config.topics(), report.topic()));
                    case DIFFERS -> reportDifferences(config, report, problems);
                    case EXISTS, CREATED -> {}
                }
            }
            checkRights(admin, there, t -> needed(config, t, followsRollouts), timeout, problems);
            checkGroup(config, admin, timeout, problems);
        } catch (TimeoutException | ExecutionException | KafkaException e) {
            String why = BrokerFault.explain(config.bootstrapServers(), e);
            problems.add(
                    BrokerFault.of(e) == BrokerFault.SILENT
                            ? why.replace(". Check", " within " + timeout.toMillis() + " ms. Check")
                            : why);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            problems.add("interrupted while Kafka was asked");
        }
    }

    private static String withoutIt(Topics topics, TopicSpec topic) {
        if (topic.equals(topics.exemptions()))
            return "; or do without exemptions: " + InspectionConfig.EXEMPTIONS + "=off";
        if (topic.equals(topics.settings()))
            return "; or do without live settings: " + InspectionConfig.SETTINGS + "=off";
        return "";
    }

    /**
     * A right that is missing would show only after the start, as a stream thread that fails again and again. Without
     * ACLs everybody may do all.
     */
    private static void checkRights(
            Admin admin,
            List<TopicSpec> topics,
            Function<TopicSpec, Set<AclOperation>> needed,
            Duration timeout,
            List<String> problems)
            throws InterruptedException, ExecutionException, TimeoutException {
        Map<String, TopicDescription> described = admin.describeTopics(
                        topics.stream().map(TopicSpec::name).toList(),
                        new DescribeTopicsOptions().includeAuthorizedOperations(true))
                .allTopicNames()
                .get(timeout.toMillis(), TimeUnit.MILLISECONDS);
        for (TopicSpec topic : topics) {
            Set<AclOperation> allowed = described.get(topic.name()).authorizedOperations();
            // Null: a broker that does not tell.
            if (allowed == null || allowed.contains(AclOperation.ALL)) continue;
            for (AclOperation operation : needed.apply(topic))
                if (!allowed.contains(operation))
                    problems.add("This user may not " + operation + " topic " + topic.name()
                            + ". 'linesight doctor --acls' prints the kafka-acls commands of all it needs");
        }
    }

    /**
     * A topic that takes less than is written to it would fail later, on the first large record, thread after thread.
     */
    private static void reportDifferences(
            InspectionConfig config, TopicAdmin.TopicReport report, List<String> problems) {
        LOG.info("Topic {}", report.describe());
        TopicSpec topic = report.topic();
        for (TopicAdmin.Difference d : report.differences()) {
            if (!d.setting().equals("max.message.bytes")
                    || !d.found().matches("\\d{1,10}")
                    || Long.parseLong(d.found()) >= topic.maxMessageBytes()) continue;
            String remedy = "Raise it: kafka-configs --bootstrap-server " + config.bootstrapServers()
                    + " --alter --entity-type topics --entity-name " + topic.name() + " --add-config max.message.bytes="
                    + topic.maxMessageBytes() + ", or set " + InspectionConfig.MAX_FRAME_BYTES
                    + " to the largest frame there really is";
            if (topic.name().equals(config.topics().frames().name())) {
                LOG.warn(
                        "Topic {} takes records of {} bytes only, {} allows frames of {}: the broker rejects larger "
                                + "ones at the camera, which says so; smaller ones are inspected. {}",
                        topic.name(),
                        d.found(),
                        InspectionConfig.MAX_FRAME_BYTES,
                        config.topics().limits().frameBytes(),
                        remedy);
            } else {
                problems.add("Topic " + topic.name() + " takes records of " + d.found() + " bytes only, and up to "
                        + topic.maxMessageBytes() + " are written to it. " + remedy);
            }
        }
    }

    /** Another program with this id would share the partitions, and each of the two would miss what the other takes. */
    private static void checkGroup(InspectionConfig config, Admin admin, Duration timeout, List<String> problems)
            throws InterruptedException, TimeoutException {
        String id = config.applicationId();
        try {
            ConsumerGroupDescription group = admin.describeConsumerGroups(List.of(id))
                    .describedGroups()
                    .get(id)
                    .get(timeout.toMillis(), TimeUnit.MILLISECONDS);
            List<GroupMembers.Member> foreign = GroupMembers.foreign(
                    GroupMembers.of(group), Set.of(config.topics().frames().name()));
            if (!foreign.isEmpty()) {
                problems.add("Another program uses the " + InspectionConfig.APPLICATION_ID + " '" + id + "': "
                        + foreign.get(0) + (foreign.size() > 1 ? " and " + (foreign.size() - 1) + " more" : "")
                        + ". Both would miss frames that the other takes. Give this app an "
                        + InspectionConfig.APPLICATION_ID + " of its own, or stop the other program");
            }
        } catch (ExecutionException e) {
            // Nobody there yet, or not allowed to look: the threads report what is missing when they join.
            LOG.debug(
                    "The group {} could not be described: {}", id, e.getCause().toString());
        }
    }

    private static void checkRegistry(InspectionConfig config, List<String> problems) {
        try {
            new SchemaRegistryClient(config.serdes()).subjects();
        } catch (RegistryException e) {
            problems.add("The schema registry cannot be used: " + e.getMessage());
        } catch (KafkaException e) {
            problems.add(e.getMessage());
        }
    }
}

package io.linesight.streams;

import io.linesight.schemas.registry.RegistryException;
import io.linesight.schemas.registry.SchemaRegistryClient;
import io.linesight.schemas.topics.TopicAdmin;
import io.linesight.schemas.topics.TopicSpec;
import io.linesight.schemas.topics.Topics;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.KafkaException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What has to be true before frames can flow, asked of everything at once so that one start shows every obstacle. */
final class StartupChecks {

    private static final Logger LOG = LoggerFactory.getLogger(StartupChecks.class);

    private StartupChecks() { }

    /** @param followsRollouts whether the app also writes what concerns models */
    static List<String> problems(InspectionConfig config, boolean needsCheckpoint, boolean followsRollouts) {
        List<String> problems = new ArrayList<>();
        if (needsCheckpoint) checkpoint(config, followsRollouts, problems);
        broker(config, used(config.topics(), followsRollouts), problems);
        registry(config, problems);
        return problems;
    }

    private static void checkpoint(InspectionConfig config, boolean followsRollouts, List<String> problems) {
        Path checkpoint = config.checkpoint();
        if (checkpoint == null && followsRollouts) {
            problems.add("The channel '" + config.models().channel() + "' has no champion: promote a version there, name another channel with " + InspectionConfig.CHANNEL
                    + ", or give a model file to begin with (" + InspectionConfig.CHECKPOINT + ")");
        } else if (checkpoint == null) {
            problems.add(InspectionConfig.CHECKPOINT + " is missing: give the model file that fit wrote");
        } else if (!Files.isRegularFile(checkpoint)) {
            problems.add("There is no model file at " + checkpoint.toAbsolutePath() + "; set " + InspectionConfig.CHECKPOINT + " to one that fit wrote");
        } else if (!Files.isReadable(checkpoint)) {
            problems.add("The model file " + checkpoint.toAbsolutePath() + " may not be read by this user");
        }
    }

    /** Topics of other parts of the catalogue may be missing: who needs them asks for them. */
    private static List<TopicSpec> used(Topics topics, boolean followsRollouts) {
        List<TopicSpec> used = new ArrayList<>(List.of(topics.frames(), topics.results(), topics.anomalies(), topics.deadLetter()));
        if (followsRollouts) used.addAll(List.of(topics.modelStatus(), topics.shadow()));
        return used;
    }

    private static void broker(InspectionConfig config, List<TopicSpec> topics, List<String> problems) {
        Duration patience = config.recovery().startupTimeout();
        Map<String, Object> settings = new HashMap<>(config.adminProperties());
        settings.put("default.api.timeout.ms", "" + patience.toMillis());
        settings.put("request.timeout.ms", "" + Math.min(patience.toMillis(), 5_000));
        try (Admin admin = Admin.create(settings)) {
            admin.describeCluster().clusterId().get(patience.toMillis(), TimeUnit.MILLISECONDS);
            for (TopicAdmin.TopicReport report : TopicAdmin.check(admin, topics)) {
                switch (report.state()) {
                    case MISSING -> problems.add("Topic " + report.topic().name() + " does not exist. Create the topics with: linesight topics");
                    case DIFFERS -> LOG.info("Topic {}", report.describe());
                    case EXISTS, CREATED -> { }
                }
            }
        } catch (TimeoutException | org.apache.kafka.common.errors.TimeoutException e) {
            problems.add(silent(config, patience));
        } catch (ExecutionException e) {
            problems.add(e.getCause() instanceof org.apache.kafka.common.errors.TimeoutException ? silent(config, patience)
                    : "Kafka at " + config.bootstrapServers() + " refused: " + e.getCause().getMessage());
        } catch (KafkaException e) {
            String reason = e.getCause() == null ? e.getMessage() : e.getMessage() + ": " + e.getCause().getMessage();
            problems.add("Kafka at " + config.bootstrapServers() + " cannot be used: " + reason);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            problems.add("interrupted while Kafka was asked");
        }
    }

    private static String silent(InspectionConfig config, Duration patience) {
        return "No Kafka broker answered at " + config.bootstrapServers() + " within " + patience.toMillis() + " ms. Check "
                + InspectionConfig.BOOTSTRAP_SERVERS + " and that the broker runs, then start again";
    }

    private static void registry(InspectionConfig config, List<String> problems) {
        try {
            new SchemaRegistryClient(config.serdes()).subjects();
        } catch (RegistryException e) {
            problems.add("The schema registry cannot be used: " + e.getMessage());
        } catch (KafkaException e) {
            problems.add(e.getMessage());
        }
    }
}

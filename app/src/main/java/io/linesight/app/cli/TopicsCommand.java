package io.linesight.app.cli;

import io.linesight.app.cli.common.Kafka;
import io.linesight.app.cli.common.UserError;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.topics.TopicAdmin;
import io.linesight.schemas.topics.TopicSpec;
import io.linesight.schemas.topics.Topics;
import java.io.PrintWriter;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.common.KafkaException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
        name = "topics",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Creates the topics that are missing. Topics that exist are never changed or deleted.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight topics --describe                      # the catalogue; no broker",
            "  linesight topics -b localhost:9092 --dry-run     # what would be created",
            "  linesight topics -b localhost:9092 --partitions 12"
        })
final class TopicsCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private Kafka kafka;

    @Option(names = "--describe", description = "Print the catalogue of topics and their settings, then exit.")
    private boolean describe;

    @Option(names = "--dry-run", description = "Compare with the broker and say what would be created; create nothing.")
    private boolean dryRun;

    @Option(
            names = "--prefix",
            paramLabel = "NAME",
            description = "First part of the topics' names. Default: linesight.")
    private String prefix;

    @Option(names = "--partitions", paramLabel = "N", description = "Number of partitions of every topic. Default: 4.")
    private Integer partitions;

    @Option(
            names = "--replication",
            paramLabel = "N",
            description = "Number of copies of every partition. Default: the broker's.")
    private Integer replication;

    @Option(
            names = "--max-frame-bytes",
            paramLabel = "N",
            description = "Maximum size of a frame record; the topics' limits follow from it. Default: 8388608.")
    private Integer maxFrameBytes;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        Map<String, String> settings = kafka.clientSettings();
        if (prefix != null) settings.put(Topics.PREFIX_CONFIG, prefix);
        if (partitions != null) settings.put(Topics.PARTITIONS_CONFIG, partitions.toString());
        if (replication != null) settings.put(Topics.REPLICATION_CONFIG, replication.toString());
        if (maxFrameBytes != null)
            settings.put(io.linesight.schemas.topics.SizeLimits.FRAME_BYTES_CONFIG, maxFrameBytes.toString());
        List<TopicSpec> topics = Topics.from(settings).all();
        if (describe) {
            for (TopicSpec t : topics) {
                out.println(t.name() + "  " + t.partitions() + " partitions");
                out.println("    " + t.doc());
                t.configs().forEach((k, v) -> out.println("    " + k + "=" + v));
            }
            return 0;
        }
        Kafka.require(settings, "bootstrap.servers", "--bootstrap-servers");
        try (Admin admin = Admin.create(adminConfigs(settings))) {
            List<TopicAdmin.TopicReport> reports =
                    dryRun ? TopicAdmin.check(admin, topics) : TopicAdmin.ensure(admin, topics);
            boolean differs = false;
            for (TopicAdmin.TopicReport r : reports) {
                out.println(r.describe()
                        + (dryRun && r.state() == TopicAdmin.State.MISSING
                                ? "; would be created with " + r.topic().partitions() + " partitions"
                                : ""));
                differs |= r.state() == TopicAdmin.State.DIFFERS;
            }
            if (differs)
                out.println("Topics that differ work as long as their limits are not too small. Kafka's own tools "
                        + "change them.");
            return 0;
        } catch (KafkaException e) {
            throw new UserError(
                    "the broker at " + settings.get("bootstrap.servers") + " could not be used: " + e.getMessage(), e);
        }
    }

    static Map<String, Object> adminConfigs(Map<String, String> settings) {
        Map<String, Object> configs = ClientSettings.forAdmin(settings);
        configs.putIfAbsent(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, 15_000);
        configs.putIfAbsent(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, 10_000);
        return configs;
    }
}

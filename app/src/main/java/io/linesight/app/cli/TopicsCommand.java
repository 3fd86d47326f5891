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
        description =
                "Creates the topics where they are missing. Never changes or deletes one that exists; a second run changes nothing.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight topics --describe                        the catalogue, no broker needed",
            "  linesight topics -b localhost:9092 --dry-run       what would be done",
            "  linesight topics -b localhost:9092 --partitions 12"
        })
final class TopicsCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private Kafka kafka;

    @Option(names = "--describe", description = "Print the catalogue and stop.")
    private boolean describe;

    @Option(names = "--dry-run", description = "Compare with the broker and say what would be done.")
    private boolean dryRun;

    @Option(names = "--prefix", description = "First part of the topics' names (linesight).")
    private String prefix;

    @Option(names = "--partitions", paramLabel = "N", description = "Partitions of every topic (4).")
    private Integer partitions;

    @Option(
            names = "--replication",
            paramLabel = "N",
            description = "Copies of every partition (the broker's default).")
    private Integer replication;

    @Option(
            names = "--max-frame-bytes",
            paramLabel = "N",
            description = "Largest frame record; the topics' size limits follow from it (8 MiB).")
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
                out.println(
                        "Topics that differ work as long as their limits are not too small; change them with Kafka's own tools if that is not meant.");
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

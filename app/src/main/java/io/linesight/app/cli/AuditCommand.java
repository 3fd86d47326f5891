package io.linesight.app.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.linesight.app.audit.Audit;
import io.linesight.app.audit.AuditReport;
import io.linesight.app.audit.CameraCount;
import io.linesight.app.cli.common.Durations;
import io.linesight.app.cli.common.Json;
import io.linesight.app.cli.common.Kafka;
import io.linesight.app.cli.common.UserError;
import io.linesight.schemas.topics.Topics;
import io.linesight.streams.config.InspectionConfig;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.kafka.common.KafkaException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
        name = "audit",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description =
                "Counts on the topics whether every frame has exactly one answer, in order. Reads only; the line may "
                        + "run meanwhile.",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:nothing is lost, doubled or out of order",
            "1:something is lost, doubled or out of order, or the topics could not be read",
            "2:the command line is wrong"
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight audit -b localhost:9092 -r http://localhost:8081",
            "  linesight audit --config line.properties --since 24h --json audit.json"
        })
final class AuditCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private Kafka kafka;

    @Option(
            names = "--application",
            paramLabel = "ID",
            description = "Application id of the inspection app. Default: application.id, else linesight-inspection.")
    private String application;

    @Option(
            names = "--since",
            paramLabel = "DURATION",
            converter = Durations.class,
            description = "Count only frames of the last 24h, 30m, ... Default: all that the topics keep.")
    private Duration since;

    @Option(names = "--json", paramLabel = "FILE", description = "Write the counts as JSON too.")
    private Path json;

    @Override
    public Integer call() throws Exception {
        PrintWriter out = spec.commandLine().getOut();
        Map<String, String> settings = kafka.clientSettings();
        Kafka.require(settings, "bootstrap.servers", "--bootstrap-servers");
        Kafka.require(settings, "schema.registry.url", "--registry");
        String id = application != null
                ? application
                : settings.getOrDefault(InspectionConfig.APPLICATION_ID, "linesight-inspection");
        Topics topics = Topics.from(settings);
        AuditReport report;
        long start = System.nanoTime();
        try {
            report = new Audit(settings, topics, id)
                    .run(since == null ? null : Instant.now().minus(since), null);
        } catch (KafkaException e) {
            throw new UserError(
                    "the topics of " + settings.get("bootstrap.servers") + " cannot be counted: " + e.getMessage()
                            + ". Nothing was changed",
                    e);
        }
        print(report, out);
        out.println(verdict(report, id) + String.format(Locale.ROOT, " (%.1f s)", (System.nanoTime() - start) / 1e9));
        if (json != null) Files.writeString(json, Json.pretty(document(report)) + "\n");
        return report.clean() ? 0 : 1;
    }

    private void print(AuditReport report, PrintWriter out) {
        out.print(report.table());
        out.println();
        report.versions().forEach((version, n) -> out.println("scored by " + version + ": " + n));
        report.deadLetters().forEach((code, n) -> out.println("dead letters " + code + ": " + n));
        if (report.total().doubledEvents() > 0)
            out.println("anomaly events beyond the first of a frame: "
                    + report.total().doubledEvents());
        if (report.total().expired() > 0)
            out.println("frames so old that their answers may have been deleted by retention, which cannot be judged: "
                    + report.total().expired());
        if (report.former() > 0)
            out.println("answers to frames of an earlier topic of the same name, which was deleted: " + report.former()
                    + "; they count for no frame");
        if (report.misdated() > 0)
            out.println("frames with a record time that cannot be true: " + report.misdated() + " ("
                    + report.misdatedExample() + "); set the camera's clock or unit"
                    + (since == null ? "" : ". --since passes over such frames; audit without it counts all"));
        if (report.foreign() > 0)
            out.println("answers to frames that are older, no longer kept or of another topic: " + report.foreign());
        if (report.uncommitted() > 0)
            out.println("results of aborted transactions, which readers of committed records never see: "
                    + report.uncommitted());
        if (report.unreadable() > 0) out.println("records that cannot be read: " + report.unreadable());
    }

    private static String verdict(AuditReport report, String id) {
        CameraCount total = report.total();
        if (total.sent() == 0) return "There are no frames to look at.";
        if (!report.clean())
            return "NOT CLEAN: look at the cameras with numbers under lost, doubled or out of order, and at the lines above.";
        return total.waiting() == 0
                ? "Clean: every frame has exactly one answer, in order."
                : "Clean so far: " + total.waiting() + " frames wait for '" + id
                        + "'; every other one has exactly one answer, in order.";
    }

    private static ObjectNode document(AuditReport report) {
        ObjectNode document = Json.object();
        document.put("clean", report.clean());
        document.set("total", count(report.total()));
        ObjectNode cameras = document.putObject("cameras");
        report.cameras().forEach(c -> cameras.set(c.camera(), count(c)));
        ObjectNode versions = document.putObject("versions");
        report.versions().forEach(versions::put);
        ObjectNode letters = document.putObject("deadLetters");
        report.deadLetters().forEach(letters::put);
        document.put("foreign", report.foreign())
                .put("former", report.former())
                .put("misdated", report.misdated())
                .put("uncommitted", report.uncommitted())
                .put("unreadable", report.unreadable());
        return document;
    }

    private static ObjectNode count(CameraCount c) {
        return Json.object()
                .put("sent", c.sent())
                .put("scored", c.scored())
                .put("deadLetters", c.rejected())
                .put("waiting", c.waiting())
                .put("expired", c.expired())
                .put("lost", c.lost())
                .put("doubled", c.doubled())
                .put("doubledEvents", c.doubledEvents())
                .put("outOfOrder", c.outOfOrder());
    }
}

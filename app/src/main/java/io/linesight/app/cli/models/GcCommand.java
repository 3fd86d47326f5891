package io.linesight.app.cli.models;

import io.linesight.app.cli.common.Durations;
import io.linesight.app.cli.common.Table;
import io.linesight.app.cli.common.UserError;
import io.linesight.models.rollouts.ModelJanitor;
import io.linesight.models.storage.AbandonedUpload;
import io.linesight.models.storage.CheckpointStores;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
        name = "gc",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description =
                "Removes unused checkpoints: named by no channel, in use by no instance, old enough and not among "
                        + "the newest. Run it from one place at a time.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight models gc -b localhost:9092 -r http://localhost:8081 --dry-run        what would be removed",
            "  linesight models gc -c line.properties --keep 3 --older-than 24h --uploads"
        })
final class GcCommand implements Callable<Integer> {
    /** An upload in progress must not be removed. */
    private static final Duration MAX_UPLOAD = Duration.ofHours(1);

    @Spec
    private CommandSpec spec;

    @Mixin
    private RegistryOptions registry;

    @Option(
            names = "--keep",
            paramLabel = "N",
            defaultValue = "5",
            description = "Keep the newest N of every channel (${DEFAULT-VALUE}).")
    private int keep;

    @Option(
            names = "--older-than",
            paramLabel = "TIME",
            defaultValue = "168h",
            converter = Durations.class,
            description = "Keep what is younger (${DEFAULT-VALUE}).")
    private Duration olderThan;

    @Option(
            names = "--uploads",
            description = "Also remove what interrupted uploads left in Kafka; reads the whole chunk topic.")
    private boolean uploads;

    @Option(names = "--dry-run", description = "Print what would be removed, and remove nothing.")
    private boolean dryRun;

    @Override
    public Integer call() throws Exception {
        if (keep < 0) throw new UserError("--keep " + keep + " makes no sense; nothing was removed");
        PrintWriter out = spec.commandLine().getOut();
        try (RegistryOptions.Open open = registry.open();
                CheckpointStores stores = CheckpointStores.open(open.config())) {
            ModelJanitor janitor = new ModelJanitor(
                    open.registry(), open.view(), stores, open.config().timeout());
            long removed = removeVersions(janitor, out);
            if (uploads) removeUploads(janitor, out);
            if (!dryRun && (removed > 0 || uploads))
                out.println("Kafka frees the space when it next compacts the topic.");
            return 0;
        }
    }

    private long removeVersions(ModelJanitor janitor, PrintWriter out) throws IOException, InterruptedException {
        List<ModelJanitor.Outcome> outcomes = janitor.collect(keep, olderThan, dryRun);
        Table table = new Table("VERSION", "CHANNEL", "CREATED", "SIZE", "OUTCOME");
        outcomes.forEach(o -> table.row(
                o.manifest().getVersion(),
                o.manifest().getChannel(),
                Table.time(o.manifest().getCreatedAt()),
                Formats.size(o.manifest().getBytes()),
                o.removed() ? o.why() : "stays: " + o.why()));
        if (!table.isEmpty()) table.print(out);
        long removed = outcomes.stream().filter(ModelJanitor.Outcome::removed).count();
        long bytes = outcomes.stream().mapToLong(ModelJanitor.Outcome::bytes).sum();
        out.println(done() + removed + " of " + outcomes.size() + " versions, " + Formats.size(bytes) + ".");
        return removed;
    }

    private void removeUploads(ModelJanitor janitor, PrintWriter out) throws IOException, InterruptedException {
        Duration age = olderThan.compareTo(MAX_UPLOAD) < 0 ? MAX_UPLOAD : olderThan;
        List<AbandonedUpload> found = janitor.collectUploads(age, dryRun);
        found.forEach(u -> out.println(
                "  " + u.sha256() + ": " + u.indices().size() + " chunks, last written " + Table.time(u.newest())));
        long bytes = found.stream().mapToLong(AbandonedUpload::bytes).sum();
        out.println(done() + found.size() + " uploads that were cut off, " + Formats.size(bytes) + ".");
    }

    private String done() {
        return dryRun ? "Would remove " : "Removed ";
    }
}

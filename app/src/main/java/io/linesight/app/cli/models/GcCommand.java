package io.linesight.app.cli.models;

import io.linesight.app.cli.common.Durations;
import io.linesight.app.cli.common.UserError;
import io.linesight.models.rollouts.ModelJanitor;
import io.linesight.models.storage.AbandonedUpload;
import io.linesight.models.storage.CheckpointStores;
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
                "Removes checkpoints that nobody needs: named by no channel, in use by no instance, old enough and not among the newest. Run it from one place at a time.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight models gc -b localhost:9092 -r http://localhost:8081 --dry-run        what would be removed",
            "  linesight models gc -c line.properties --keep 3 --older-than 24h --uploads"
        })
final class GcCommand implements Callable<Integer> {
    private static final Duration LONGEST_UPLOAD = Duration.ofHours(1);

    @Spec
    private CommandSpec spec;

    @Mixin
    private RegistryOptions line;

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
            description = "Also remove what uploads that were cut off left in Kafka; reads the whole chunk topic.")
    private boolean uploads;

    @Option(names = "--dry-run", description = "Only say what would be removed.")
    private boolean dryRun;

    @Override
    public Integer call() throws Exception {
        if (keep < 0) throw new UserError("--keep " + keep + " makes no sense; nothing was removed");
        PrintWriter out = spec.commandLine().getOut();
        try (RegistryOptions.Open open = line.open();
                CheckpointStores stores = CheckpointStores.open(open.config())) {
            ModelJanitor janitor = new ModelJanitor(
                    open.registry(), open.view(), stores, open.config().patience());
            List<ModelJanitor.Outcome> outcomes = janitor.collect(keep, olderThan, dryRun);
            Table t = new Table("VERSION", "CHANNEL", "CREATED", "SIZE", "");
            outcomes.forEach(o -> t.row(
                    o.manifest().getVersion(),
                    o.manifest().getChannel(),
                    Formats.time(o.manifest().getCreatedAt()),
                    Formats.size(o.manifest().getBytes()),
                    o.removed() ? o.why() : "stays: " + o.why()));
            if (!t.isEmpty()) t.print(out);
            long removed =
                    outcomes.stream().filter(ModelJanitor.Outcome::removed).count();
            long bytes =
                    outcomes.stream().mapToLong(ModelJanitor.Outcome::bytes).sum();
            out.println((dryRun ? "Would remove " : "Removed ") + removed + " of " + outcomes.size() + " versions, "
                    + Formats.size(bytes) + ".");
            if (uploads) {
                Duration age = olderThan.compareTo(LONGEST_UPLOAD) < 0 ? LONGEST_UPLOAD : olderThan;
                List<AbandonedUpload> found = janitor.collectUploads(age, dryRun);
                found.forEach(u -> out.println("  " + u.sha256() + ": "
                        + u.indices().size() + " chunks, last written " + Formats.time(u.newest())));
                out.println((dryRun ? "Would remove " : "Removed ") + found.size() + " uploads that were cut off, "
                        + Formats.size(
                                found.stream().mapToLong(AbandonedUpload::bytes).sum()) + ".");
            }
            if (!dryRun && (removed > 0 || uploads))
                out.println("Kafka gives the room back when it next compacts the topic.");
            return 0;
        }
    }
}

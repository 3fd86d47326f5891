package io.linesight.app.cli.models;

import io.linesight.app.cli.common.Table;
import io.linesight.models.rollouts.HistoryEntry;
import io.linesight.models.rollouts.RegistryState;
import io.linesight.schemas.GateOutcome;
import io.linesight.schemas.Rollout;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
        name = "history",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description =
                "Shows every decision about a channel, newest last: who, when, what and why, also those that did not "
                        + "count.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight models history -b localhost:9092 -r http://localhost:8081",
            "  linesight models history -c line.properties --channel press --last 20"
        })
final class HistoryCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private RegistryOptions registry;

    @Option(
            names = "--channel",
            paramLabel = "NAME",
            defaultValue = DecisionOptions.CHANNEL,
            description = "Rollout channel (${DEFAULT-VALUE}).")
    private String channel;

    @Option(
            names = "--last",
            paramLabel = "N",
            defaultValue = "50",
            description = "At most so many (${DEFAULT-VALUE}).")
    private int last;

    @Override
    public Integer call() throws Exception {
        PrintWriter out = spec.commandLine().getOut();
        try (RegistryOptions.Open open = registry.open()) {
            RegistryState s = open.view().state();
            List<HistoryEntry> all = s.channel(channel).history();
            if (all.isEmpty()) {
                out.println("Nothing was ever decided for the channel '" + channel + "'.");
                return 0;
            }
            Table t = new Table("REV", "WHEN", "WHO", "WHAT", "THEN", "WHY");
            for (HistoryEntry e : all.subList(Math.max(0, all.size() - Math.max(1, last)), all.size())) {
                Rollout r = e.rollout().orElse(null);
                if (r == null) t.row("-", "-", "-", "-", "DID NOT COUNT: " + e.rejection(), "");
                else
                    t.row(
                            e.counted() ? r.getRevision() : "-",
                            Table.time(r.getAt()),
                            r.getBy() + (r.getAutomatic() ? " (automatic)" : ""),
                            Formats.word(r.getAction()),
                            e.counted() ? DecisionOptions.describe(r) : "DID NOT COUNT: " + e.rejection(),
                            r.getReason() + remark(s, r));
            }
            t.print(out);
            s.channel(channel)
                    .inForce()
                    .flatMap(s::objection)
                    .ifPresent(
                            o -> out.println("The last one cannot be carried out as it stands: " + Table.printable(o)));
            return 0;
        }
    }

    private static String remark(RegistryState s, Rollout r) {
        String named = r.getChallenger() != null ? r.getChallenger() : r.getChampion();
        boolean failed = s.version(named)
                .map(v -> v.manifest().getGate().getOutcome() == GateOutcome.FAILED)
                .orElse(false);
        return failed ? " [" + named + " failed its gate]" : "";
    }
}

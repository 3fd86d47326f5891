package io.linesight.app.cli.models;

import io.linesight.app.cli.common.Table;
import io.linesight.models.rollouts.PublishedVersion;
import io.linesight.models.rollouts.RegistryState;
import io.linesight.schemas.ModelVersion;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
        name = "list",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Shows the published checkpoints, newest first, and what the channels run.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight models list -b localhost:9092 -r http://localhost:8081",
            "  linesight models list -c line.properties --channel press --trust line.pub"
        })
final class ListCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private RegistryOptions registry;

    @Option(names = "--channel", paramLabel = "NAME", description = "Only versions made for this channel.")
    private String channel;

    @Override
    public Integer call() throws Exception {
        PrintWriter out = spec.commandLine().getOut();
        try (RegistryOptions.Open open = registry.open()) {
            RegistryState s = open.view().state();
            Table t = new Table("VERSION", "CHANNEL", "CREATED", "BY", "SIZE", "GATE", "SIGNATURE", "NAMED BY");
            for (ModelVersion m : s.newestFirst()) {
                PublishedVersion v = s.version(m.getVersion()).orElseThrow();
                if (channel != null && !m.getChannel().equals(channel)) continue;
                t.row(
                        m.getVersion(),
                        m.getChannel(),
                        Table.time(m.getCreatedAt()),
                        m.getCreatedBy(),
                        Formats.size(m.getBytes()),
                        Formats.word(m.getGate().getOutcome()),
                        Formats.signature(v),
                        String.join(", ", s.aliases(m.getVersion())));
            }
            if (t.isEmpty())
                out.println("No checkpoint is published" + (channel == null ? "" : " for the channel '" + channel + "'")
                        + "; 'linesight models publish' does that.");
            else t.print(out);
            s.channels().values().forEach(c -> {
                if (channel != null && !c.channel().equals(channel)) return;
                c.inForce().ifPresent(r -> {
                    out.println();
                    out.println(Table.printable(c.channel()) + ", revision " + r.getRevision() + ": "
                            + DecisionOptions.describe(r));
                    s.objection(r)
                            .ifPresent(
                                    o -> out.println("  It cannot be carried out as it stands: " + Table.printable(o)));
                });
            });
            return 0;
        }
    }
}

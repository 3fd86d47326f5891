package io.linesight.app.cli.models;

import io.linesight.app.cli.common.Table;
import io.linesight.models.rollouts.RegistryState;
import io.linesight.schemas.ModelState;
import io.linesight.schemas.ModelStatus;
import java.io.PrintWriter;
import java.util.Comparator;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
        name = "status",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Shows what every instance does with every checkpoint.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight models status -b localhost:9092 -r http://localhost:8081",
            "  linesight models status -c line.properties --all"
        })
final class StatusCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private RegistryOptions registry;

    @Option(names = "--all", description = "Also versions that were retired or that the registry no longer has.")
    private boolean all;

    @Override
    public Integer call() throws Exception {
        PrintWriter out = spec.commandLine().getOut();
        try (RegistryOptions.Open open = registry.open()) {
            RegistryState state = open.view().state();
            Table table = new Table(
                    "INSTANCE",
                    "CHANNEL",
                    "VERSION",
                    "ROLE",
                    "STATE",
                    "REVISION",
                    "LOADED IN",
                    "PAUSE",
                    "DEVICE",
                    "SINCE",
                    "REASON");
            state.statuses().stream()
                    .filter(status -> all || isInUse(state, status))
                    .sorted(Comparator.comparing(ModelStatus::getInstance).thenComparing(ModelStatus::getAt))
                    .forEach(status -> addRow(table, status));
            if (!table.isEmpty()) table.print(out);
            else
                out.println("No instance has reported anything"
                        + (all ? "." : " about a version that is in use; '--all' shows the rest."));
            return 0;
        }
    }

    private static boolean isInUse(RegistryState state, ModelStatus status) {
        return status.getState() != ModelState.RETIRED
                && state.version(status.getVersion()).isPresent();
    }

    private static void addRow(Table table, ModelStatus status) {
        table.row(
                status.getInstance(),
                status.getChannel(),
                status.getVersion(),
                Formats.word(status.getRole()),
                Formats.word(status.getState()),
                status.getRolloutRevision(),
                status.getLoadMillis() + " ms",
                status.getSwapPauseMicros() / 1000.0 + " ms",
                status.getDevice(),
                Table.time(status.getAt()),
                status.getReason());
    }
}

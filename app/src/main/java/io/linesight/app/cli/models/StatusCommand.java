package io.linesight.app.cli.models;

import io.linesight.models.rollouts.RegistryState;
import io.linesight.schemas.ModelStatus;
import java.io.PrintWriter;
import java.util.Comparator;
import java.util.List;
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
    private RegistryOptions line;

    @Option(names = "--all", description = "Also versions that were retired or that the registry no longer has.")
    private boolean all;

    @Override
    public Integer call() throws Exception {
        PrintWriter out = spec.commandLine().getOut();
        try (RegistryOptions.Open open = line.open()) {
            RegistryState s = open.view().state();
            Table t = new Table(
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
            List<ModelStatus> sorted = s.statuses().stream()
                    .sorted(Comparator.comparing(ModelStatus::getInstance).thenComparing(ModelStatus::getAt))
                    .toList();
            for (ModelStatus st : sorted) {
                if (!all
                        && (st.getState() == io.linesight.schemas.ModelState.RETIRED
                                || s.version(st.getVersion()).isEmpty())) continue;
                t.row(
                        st.getInstance(),
                        st.getChannel(),
                        st.getVersion(),
                        Formats.word(st.getRole()),
                        Formats.word(st.getState()),
                        st.getRolloutRevision(),
                        st.getLoadMillis() + " ms",
                        st.getSwapPauseMicros() / 1000.0 + " ms",
                        st.getDevice(),
                        Formats.time(st.getAt()),
                        st.getReason());
            }
            if (t.isEmpty())
                out.println("No instance has told anything"
                        + (all ? "." : " about a version that is in use; '--all' shows the rest."));
            else t.print(out);
            return 0;
        }
    }
}

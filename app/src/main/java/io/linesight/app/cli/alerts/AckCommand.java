package io.linesight.app.cli.alerts;

import io.linesight.schemas.AlertActionKind;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "ack",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Acknowledges an alert: somebody knows of it and takes care. It leaves the list once it is "
                + "cleared, too.",
        footerHeading = "%nExamples:%n",
        footer = "  linesight alerts ack -b localhost:9092 -r http://localhost:8081 "
                + "DEFECT-ANOMALOUS-linesight.frames.v1-0-42")
final class AckCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private ActOptions options;

    @Parameters(paramLabel = "ALERT", description = "Its id, or the beginning of it.")
    private String id;

    @Override
    public Integer call() throws Exception {
        return options.act(spec.commandLine().getOut(), AlertActionKind.ACKNOWLEDGE, id, null);
    }
}

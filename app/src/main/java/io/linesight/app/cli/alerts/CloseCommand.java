package io.linesight.app.cli.alerts;

import io.linesight.schemas.AlertActionKind;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "close",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description =
                "Closes an alert, whatever its state. Where the condition holds on, a new alert opens by the policy.",
        footerHeading = "%nExamples:%n",
        footer = "  linesight alerts close -b localhost:9092 -r http://localhost:8081 "
                + "DEFECT-ANOMALOUS-linesight.frames.v1-0-42 --note 'wrong lot'")
final class CloseCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private ActOptions options;

    @Parameters(paramLabel = "ALERT", description = "Its id, or the beginning of it.")
    private String id;

    @Override
    public Integer call() throws Exception {
        return options.act(spec.commandLine().getOut(), AlertActionKind.CLOSE, id, null);
    }
}

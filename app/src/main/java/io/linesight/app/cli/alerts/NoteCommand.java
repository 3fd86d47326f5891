package io.linesight.app.cli.alerts;

import io.linesight.schemas.AlertActionKind;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "note",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Writes a note to an alert; its state stays as it is.",
        footerHeading = "%nExamples:%n",
        footer = "  linesight alerts note -b localhost:9092 -r http://localhost:8081 "
                + "DEFECT-ANOMALOUS-linesight.frames.v1-0-42 'seen on three parts of lot 7'")
final class NoteCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private ActOptions options;

    @Parameters(index = "0", paramLabel = "ALERT", description = "Its id, or the beginning of it.")
    private String id;

    @Parameters(index = "1", paramLabel = "TEXT", description = "The note.")
    private String text;

    @Override
    public Integer call() throws Exception {
        return options.act(spec.commandLine().getOut(), AlertActionKind.NOTE, id, null, text);
    }
}

package io.linesight.app.cli.exemptions;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** False alarms that are forgotten at once. */
@Command(
        name = "exemptions",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        synopsisSubcommandLabel = "COMMAND",
        description = {
            "Forgets false alarms at once: what the encoder saw at the hottest places of a frame counts as good from "
                    + "then on, for frames that look like it there.",
            "'linesight serve' makes an exemption of every frame that is labelled normal and was not passed. A label "
                    + "'anomalous' on a frame that would pass because of one takes it away. A model that has learned the "
                    + "frame no longer needs it."
        },
        subcommands = {
            ListCommand.class,
            ShowCommand.class,
            AddCommand.class,
            RemoveCommand.class,
            CommandLine.HelpCommand.class
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:done",
            "1:it failed or was rejected; the message says why and what to do",
            "2:the command line is wrong"
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight exemptions list -b localhost:9092 -r http://localhost:8081",
            "  linesight exemptions remove -b localhost:9092 -r http://localhost:8081 linesight.frames.v1-0-42 "
                    + "--reason 'it was a scratch'"
        })
public final class ExemptionsCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new CommandLine.ParameterException(
                spec.commandLine(), "say what to do with exemptions: list, show, add or remove");
    }
}

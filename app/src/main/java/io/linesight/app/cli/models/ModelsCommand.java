package io.linesight.app.cli.models;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Checkpoints and rollouts of a running line. */
@Command(
        name = "models",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        synopsisSubcommandLabel = "COMMAND",
        description =
                "Publishes checkpoints and decides which one the line runs. Every decision is one record with who, "
                        + "when and why.",
        subcommands = {
            ListCommand.class,
            ShowCommand.class,
            PublishCommand.class,
            RolloutCommands.Promote.class,
            RolloutCommands.Rollback.class,
            RolloutCommands.Shadow.class,
            RolloutCommands.Canary.class,
            RolloutCommands.Withdraw.class,
            RolloutCommands.Pin.class,
            RolloutCommands.Unpin.class,
            HistoryCommand.class,
            StatusCommand.class,
            GcCommand.class,
            KeygenCommand.class,
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
            "  linesight models keygen --private line.key --public line.pub",
            "  linesight models publish -b localhost:9092 -r http://localhost:8081 --key line.key m.onnx",
            "  linesight models shadow  -b localhost:9092 -r http://localhost:8081 20260101-120000-1a2b3c4d "
                    + "--percent 10",
            "  linesight models promote -b localhost:9092 -r http://localhost:8081 20260101-120000-1a2b3c4d --reason "
                    + "'fewer false alarms on flange'",
            "  linesight models rollback -b localhost:9092 -r http://localhost:8081 --reason 'misses scratches'",
            "",
            "'linesight models help COMMAND' explains a command."
        })
public final class ModelsCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new CommandLine.ParameterException(
                spec.commandLine(),
                "say what to do with models: list, show, publish, promote, rollback, shadow, canary, withdraw, pin, "
                        + "unpin, history, status, gc or keygen");
    }
}

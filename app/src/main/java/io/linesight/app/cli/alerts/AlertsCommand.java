package io.linesight.app.cli.alerts;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** What is wrong at the line, and what people do about it. */
@Command(
        name = "alerts",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        synopsisSubcommandLabel = "COMMAND",
        description = {
            "Shows what is wrong at the line, and records what people do about it.",
            "'linesight serve' opens one alert for a burst of anomalous frames, or for a camera that is silent, "
                    + "frozen, black, overexposed or blurred, and clears it when the condition is over. An alert leaves the "
                    + "list when it is cleared and acknowledged, in either order."
        },
        subcommands = {
            ListCommand.class,
            ShowCommand.class,
            AckCommand.class,
            ShelveCommand.class,
            UnshelveCommand.class,
            CloseCommand.class,
            NoteCommand.class,
            MaintenanceCommand.class,
            HistoryCommand.class,
            HealthCommand.class,
            CommandLine.HelpCommand.class
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:done",
            "1:it failed or was refused; the message says why and what to do",
            "2:the command line is wrong"
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight alerts list -b localhost:9092 -r http://localhost:8081",
            "  linesight alerts ack -b localhost:9092 -r http://localhost:8081 "
                    + "DEFECT-ANOMALOUS-linesight.frames.v1-0-42"
        })
public final class AlertsCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new CommandLine.ParameterException(
                spec.commandLine(),
                "say what to do with alerts: list, show, ack, shelve, unshelve, close, note, maintenance, history or "
                        + "health");
    }
}

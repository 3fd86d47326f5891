package io.linesight.app.cli.settings;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** What people set for products while the line runs. */
@Command(
        name = "settings",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        synopsisSubcommandLabel = "COMMAND",
        description = {
            "Shows and changes thresholds, review bands and alert policies of products while the line runs.",
            "'linesight serve' follows them within seconds, and every result says up to where it knew them. A "
                    + "threshold outlives a new model: it keeps the share of good parts that it was expected to "
                    + "reject, or its raw value."
        },
        subcommands = {
            ShowCommand.class,
            SetCommand.class,
            RevertCommand.class,
            HistoryCommand.class,
            CommandLine.HelpCommand.class
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:done",
            "1:it failed, was rejected, or somebody else was faster; the message says why and what to do",
            "2:the command line is wrong"
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight settings show -b localhost:9092 -r http://localhost:8081",
            "  linesight settings set -c line.properties flange --false-reject 0.005 --reason 'fewer false alarms'"
        })
public final class SettingsCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new CommandLine.ParameterException(
                spec.commandLine(), "say what to do with settings: show, set, revert or history");
    }
}

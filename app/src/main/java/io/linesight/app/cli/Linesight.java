package io.linesight.app.cli;

import io.linesight.app.cli.alerts.AlertsCommand;
import io.linesight.app.cli.common.Logs;
import io.linesight.app.cli.encoder.EncoderCommand;
import io.linesight.app.cli.exemptions.ExemptionsCommand;
import io.linesight.app.cli.models.ModelsCommand;
import io.linesight.app.cli.notify.NotifyCommand;
import io.linesight.app.cli.settings.SettingsCommand;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.util.Properties;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.UsageMessageSpec;
import picocli.CommandLine.Option;

/** The command line. */
@Command(
        name = "linesight",
        mixinStandardHelpOptions = true,
        versionProvider = Linesight.Version.class,
        sortOptions = false,
        description = "Streaming visual inspection: camera frames in, MMAD anomaly events out.",
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {
            DemoCommand.class,
            BrokerCommand.class,
            SimulateCommand.class,
            FitCommand.class,
            CalibrateCommand.class,
            EvaluateCommand.class,
            ScoreCommand.class,
            ReplayCommand.class,
            CameraCommand.class,
            ServeCommand.class,
            AuditCommand.class,
            LabelCommand.class,
            ExemptionsCommand.class,
            AlertsCommand.class,
            SettingsCommand.class,
            NotifyCommand.class,
            TrainCommand.class,
            TopicsCommand.class,
            SchemasCommand.class,
            DoctorCommand.class,
            ConfigCommand.class,
            ModelsCommand.class,
            EncoderCommand.class,
            ParityCommand.class,
            GalleryCommand.class,
            CommandLine.HelpCommand.class
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:done",
            "1:it failed; the message says why and what happens next",
            "2:the command line is wrong"
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight demo --for 2m               # a whole line on this machine",
            "  linesight simulate --out parts        # images of simulated parts",
            "  linesight fit --data parts --minutes 20 --out m.onnx",
            "  linesight evaluate --data parts --model m.onnx",
            "  linesight score --model m.onnx --heatmaps out part.png",
            "",
            "'linesight help COMMAND' explains a command."
        })
public final class Linesight implements Runnable {
    @Option(
            names = "--verbose",
            scope = CommandLine.ScopeType.INHERIT,
            description = "Show stack traces and the logs of libraries.")
    void verbose(boolean on) {
        if (on) Logs.verbose();
        verbose = on;
    }

    @Option(
            names = "--log-format",
            paramLabel = "text|json",
            scope = CommandLine.ScopeType.INHERIT,
            description =
                    "Format of log lines on stderr; json writes one object a line. Default: LINESIGHT_LOG_FORMAT, "
                            + "else text.")
    void logFormat(Logs.Format format) {
        // Picocli clears options that were not given.
        if (format != null) Logs.format(format);
    }

    private boolean verbose;

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    @Override
    public void run() {
        throw new CommandLine.ParameterException(spec.commandLine(), "say what to do: one of the commands below");
    }

    public static void main(String[] args) {
        Logs.toLauncher();
        CommandLine line = commandLine();
        String format = System.getenv(Logs.FORMAT_VARIABLE);
        if (format != null && !format.isBlank()) {
            if (!format.matches("(?i)text|json")) {
                System.err.println("linesight: " + Logs.FORMAT_VARIABLE + "=" + format
                        + " is neither text nor json; nothing was done");
                System.exit(CommandLine.ExitCode.USAGE);
            }
            Logs.format(Logs.Format.valueOf(format.toUpperCase(java.util.Locale.ROOT)));
        }
        // One writer for all commands: each makes its own otherwise, and what it only print()s would never be flushed.
        line.setOut(new PrintWriter(System.out, true));
        line.setErr(new PrintWriter(new ErrorLines(System.err), true));
        int code = line.execute(args);
        line.getOut().flush();
        line.getErr().flush();
        System.exit(code);
    }

    /** A new command line, ready to execute. It writes to standard output and error unless it gets other writers. */
    public static CommandLine commandLine() {
        Linesight root = new Linesight();
        CommandLine line = new CommandLine(root);
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setUsageHelpAutoWidth(true);
        line.setUsageHelpLongOptionsMaxWidth(34);
        // The groups have headings of their own.
        line.getHelpSectionMap().remove(UsageMessageSpec.SECTION_KEY_COMMAND_LIST_HEADING);
        line.getHelpSectionMap().put(UsageMessageSpec.SECTION_KEY_COMMAND_LIST, new CommandGroups());
        line.setExecutionExceptionHandler((e, command, parsed) -> failed(e, command, root.verbose));
        line.setParameterExceptionHandler(Linesight::misused);
        return line;
    }

    private static int misused(CommandLine.ParameterException e, String[] args) {
        CommandLine command = e.getCommandLine();
        PrintWriter err = command.getErr();
        err.println("linesight: " + e.getMessage());
        if (!CommandLine.UnmatchedArgumentException.printSuggestions(e, err)) {
            if (command.getParent() == null) command.usage(err);
            else err.println("'" + command.getCommandSpec().qualifiedName() + " --help' shows what it takes.");
        }
        return CommandLine.ExitCode.USAGE;
    }

    private static int failed(Exception e, CommandLine command, boolean verbose) {
        PrintWriter err = command.getErr();
        if (verbose) e.printStackTrace(err);
        err.println(
                "linesight: " + explain(e) + (verbose ? "" : isExpected(e) ? "" : " ('--verbose' shows the details)"));
        err.flush();
        return CommandLine.ExitCode.SOFTWARE;
    }

    /** Whether the message was written for people; the others come from mistakes of the program. */
    private static boolean isExpected(Throwable e) {
        boolean mistake = e instanceof NullPointerException
                || e instanceof ClassCastException
                || e instanceof IndexOutOfBoundsException
                || e instanceof UnsupportedOperationException;
        return !mistake && e.getMessage() != null;
    }

    /** One line for people: the outermost message that says anything. */
    private static String explain(Throwable e) {
        if (e instanceof NoSuchFileException n) return "there is no file " + n.getFile();
        if (e instanceof AccessDeniedException a) return "no permission for " + a.getFile();
        if (e instanceof FileAlreadyExistsException f)
            return f.getFile() + " is in the way: it exists and is not a folder";
        if (e instanceof OutOfMemoryError)
            return "not enough memory; give the JVM more with LINESIGHT_JAVA_OPTS=-Xmx4g";
        for (Throwable t = e; t != null; t = t.getCause()) {
            String m = t.getMessage();
            if (m != null && !m.isBlank() && !m.startsWith("java.")) return m;
        }
        return e.getClass().getSimpleName();
    }

    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() throws IOException {
            Properties p = new Properties();
            try (InputStream in = Linesight.class.getResourceAsStream("/io/linesight/app/build.properties")) {
                if (in != null) p.load(in);
            }
            return new String[] {
                "linesight " + p.getProperty("version", "unknown"),
                "Java " + Runtime.version() + ", " + System.getProperty("os.name") + " " + System.getProperty("os.arch")
            };
        }
    }
}

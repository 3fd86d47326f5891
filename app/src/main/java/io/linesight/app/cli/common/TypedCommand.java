package io.linesight.app.cli.common;

import java.util.stream.Collectors;
import picocli.CommandLine.Model.CommandSpec;

/** What was typed, for provenance. */
public final class TypedCommand {
    private TypedCommand() {}

    /**
     * The command line as it could be typed again: paths stay as they were given, what a shell would take apart is
     * quoted.
     */
    public static String of(CommandSpec spec) {
        return spec.root().commandLine().getParseResult().originalArgs().stream()
                .map(TypedCommand::quoted)
                .collect(Collectors.joining(" ", "linesight ", ""));
    }

    private static String quoted(String argument) {
        return argument.matches("[^\\s'\"\\\\]+") ? argument : "'" + argument.replace("'", "'\\''") + "'";
    }
}

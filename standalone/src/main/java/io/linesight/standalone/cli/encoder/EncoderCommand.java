package io.linesight.standalone.cli.encoder;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Frozen image encoders. */
@Command(name = "encoder", mixinStandardHelpOptions = true, sortOptions = false, synopsisSubcommandLabel = "COMMAND",
        description = "Frozen image encoders, which a model is trained on top of.",
        subcommands = {DistillCommand.class, CommandLine.HelpCommand.class})
public final class EncoderCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new CommandLine.ParameterException(spec.commandLine(), "say what to do with encoders: one of " + String.join(", ", spec.subcommands().keySet()));
    }
}

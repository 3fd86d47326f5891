package io.linesight.app.cli.encoder;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Encoders: the frozen networks that 'fit' builds on. */
@Command(
        name = "encoder",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        synopsisSubcommandLabel = "COMMAND",
        description = {
            "Makes encoders for 'fit --encoder' out of pretrained networks.",
            "An encoder is the frozen part of a model that turns images into features. The built-in one needs no "
                    + "download; a network trained on photographs sees more."
        },
        subcommands = {
            ImportCommand.class,
            PullCommand.class,
            DistillCommand.class,
            ShowCommand.class,
            CommandLine.HelpCommand.class
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:done",
            "1:it failed or was rejected; the message says why and what to do, and no file was changed",
            "2:the command line is wrong"
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight encoder pull resnet34            torchvision's weights, resnet34.onnx",
            "  linesight encoder import resnet50-0676ba61.pth --out resnet50.onnx",
            "  linesight encoder import net.onnx --outputs a,b,c --out enc.onnx",
            "  linesight encoder distill --teacher resnet34.onnx --photos pictures --minutes 600 --work run --out "
                    + "small.onnx",
            "  linesight encoder show resnet34.onnx",
            "  linesight fit --data parts --encoder resnet34.onnx --minutes 20 --out m.onnx",
            "",
            "'linesight encoder help COMMAND' explains a command."
        })
public final class EncoderCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new CommandLine.ParameterException(
                spec.commandLine(),
                "say what to do with encoders: "
                        + String.join(
                                ", ",
                                spec.subcommands().keySet().stream()
                                        .filter(s -> !s.equals("help"))
                                        .toList()));
    }
}

package io.linesight.app.cli.encoder;

import io.linesight.app.cli.common.Inputs;
import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.io.Sha256;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "show",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description =
                "Prints channels, strides, work per image, size and SHA-256 of an encoder. It is run once, so 'fit' "
                        + "can use a file that passes.",
        footerHeading = "%nExamples:%n",
        footer = "  linesight encoder show resnet34.onnx")
final class ShowCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "FILE", description = "Encoder, ONNX.")
    private Path file;

    @Override
    public Integer call() throws Exception {
        PrintWriter out = spec.commandLine().getOut();
        Encoder encoder = Encoder.load(Inputs.existing(file, "encoder"));
        Facts.print(out, encoder, Files.size(file));
        String ofFile = Sha256.hex(file);
        // Checkpoints name an encoder by its canonical form, so both are of use where they differ.
        if (!ofFile.equals(encoder.sha256()))
            Facts.field(out, "file", "SHA-256 " + ofFile + "; above is the network's, which checkpoints name");
        return 0;
    }
}

package io.linesight.app.cli;

import io.linesight.app.cli.common.Inputs;
import io.linesight.mmad.checkpoint.ParityCheckpoint;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
        name = "parity",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description =
                "Builds a checkpoint from the reference weights that a manifest names, to compare its maps with the "
                        + "reference's.",
        footerHeading = "%nExample:%n",
        footer = {
            "  linesight parity --manifest golden/weights/manifest.json --out parity.onnx",
            "  linesight score --model parity.onnx --maps maps image.png"
        })
final class ParityCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(
            names = "--manifest",
            required = true,
            paramLabel = "FILE",
            description = "Manifest of the reference weights.")
    private Path manifest;

    @Option(names = "--out", required = true, paramLabel = "FILE", description = "Checkpoint to write.")
    private Path out;

    @Override
    public Integer call() throws Exception {
        ParityCheckpoint.build(Inputs.existing(manifest, "manifest"), Inputs.writable(out));
        spec.commandLine().getOut().println("Wrote " + out);
        return 0;
    }
}

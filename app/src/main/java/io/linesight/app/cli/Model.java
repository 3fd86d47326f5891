package io.linesight.app.cli;

import io.linesight.app.cli.common.Inputs;
import io.linesight.app.cli.common.UserError;
import io.linesight.demo.line.BundledModel;
import io.linesight.mmad.runtime.ScanMode;
import io.linesight.mmad.runtime.ScorerOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Options that choose a checkpoint and how it runs. */
final class Model {
    @Option(
            names = {"-m", "--model"},
            paramLabel = "FILE",
            description = "Checkpoint; the bundled one of the simulated line by default.")
    Path model;

    @Option(
            names = "--device",
            paramLabel = "auto|cpu|cuda:N",
            defaultValue = "auto",
            description = "Where it runs (${DEFAULT-VALUE}).")
    String device;

    @Option(
            names = "--threads",
            paramLabel = "N",
            defaultValue = "0",
            description = "CPU threads of the model; 0 takes all processors (${DEFAULT-VALUE}).")
    int threads;

    @Option(
            names = "--scan",
            paramLabel = "auto|operator|function",
            defaultValue = "auto",
            description = "Implementation of the selective scan (${DEFAULT-VALUE}).")
    ScanMode scan;

    ScorerOptions options() {
        return new ScorerOptions(device, threads, scan);
    }

    /** The checkpoint given, or the bundled one written into the folder. */
    Path resolve(Path folder) {
        if (model != null) return Inputs.existing(model, "checkpoint");
        try {
            return BundledModel.unpack(folder)
                    .orElseThrow(
                            () -> new UserError(
                                    "this build has no bundled checkpoint: pass --model FILE; 'linesight simulate' and 'linesight fit' make one. Nothing was started"));
        } catch (IOException e) {
            throw new UserError(
                    "the bundled checkpoint cannot be written to " + folder + ": " + e.getMessage()
                            + "; nothing was started",
                    e);
        }
    }

    /** As {@link #resolve}, into a folder that goes with the process. */
    Path resolve() {
        if (model != null) return Inputs.existing(model, "checkpoint");
        try {
            Path folder = Files.createTempDirectory("linesight");
            folder.toFile().deleteOnExit();
            Path file = resolve(folder);
            file.toFile().deleteOnExit();
            return file;
        } catch (IOException e) {
            throw new UserError(
                    "no temporary folder for the bundled checkpoint: " + e.getMessage() + "; nothing was started", e);
        }
    }
}

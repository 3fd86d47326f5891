package io.linesight.app.cli;

import io.linesight.app.cli.common.Inputs;
import io.linesight.app.cli.common.UserError;
import io.linesight.demo.line.BundledModel;
import io.linesight.mmad.io.ProcessFolder;
import io.linesight.mmad.runtime.ScanMode;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.streams.config.InspectionConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options that choose a checkpoint and how it runs. */
final class Model {
    @Option(
            names = {"-m", "--model"},
            paramLabel = "FILE",
            description = "Checkpoint. Default: the bundled one for the simulated line.")
    @Nullable
    Path model;

    @Option(
            names = "--device",
            paramLabel = "auto|cpu|cuda:N",
            defaultValue = "auto",
            description = "Where the model runs. Default: ${DEFAULT-VALUE}.")
    String device;

    @Option(
            names = "--threads",
            paramLabel = "N",
            defaultValue = "0",
            description = "CPU threads of the model; 0 for all processors. Default: ${DEFAULT-VALUE}.")
    int threads;

    @Option(
            names = "--scan",
            paramLabel = "auto|operator|function",
            defaultValue = "auto",
            description = "Implementation of the selective scan. Default: ${DEFAULT-VALUE}.")
    ScanMode scan;

    ScorerOptions options() {
        return new ScorerOptions(device, threads, scan);
    }

    /** The same for the inspection app. */
    Map<String, String> appSettings() {
        return Map.of(
                InspectionConfig.DEVICE,
                device,
                InspectionConfig.SCORER_THREADS,
                Integer.toString(threads),
                InspectionConfig.SCAN,
                scan.name().toLowerCase(Locale.ROOT));
    }

    /** The checkpoint given, or the bundled one written into the folder. */
    Path resolve(Path folder) {
        if (model != null) return Inputs.existing(model, "checkpoint");
        try {
            return BundledModel.unpack(folder)
                    .orElseThrow(() -> new UserError(
                            "this build has no bundled checkpoint: pass --model FILE; 'linesight simulate' "
                                    + "and 'linesight fit' make one. Nothing was started"));
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
            return resolve(ProcessFolder.create("bundled-"));
        } catch (IOException e) {
            throw new UserError(
                    "the bundled checkpoint cannot be unpacked: " + e.getMessage() + "; nothing was started", e);
        }
    }
}

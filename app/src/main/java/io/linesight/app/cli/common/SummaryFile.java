package io.linesight.app.cli.common;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.trainer.folders.FilesReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Option of commands that read folders of images: their outcome as JSON, with what became of the files. */
public final class SummaryFile {
    @Option(
            names = "--json",
            paramLabel = "FILE",
            description = "Write the outcome as JSON, with what became of the files.")
    private @Nullable Path file;

    public boolean isWanted() {
        return file != null;
    }

    /** Checks that the file can be written, before long work begins. @throws UserError when it cannot */
    public void prepare() {
        if (file != null) Inputs.writable(file);
    }

    /** Writes the file, if one was asked for. @param outcome gets {@code files} */
    public void write(ObjectNode outcome, FilesReport files) throws IOException {
        if (file == null) return;
        outcome.set("files", Json.of(files.toMap()));
        Files.writeString(file, Json.pretty(outcome) + System.lineSeparator());
    }

    /** Puts in version and thresholds of a checkpoint that was written. */
    public static ObjectNode outcome(Path checkpoint, CheckpointInfo info) {
        ObjectNode outcome = Json.object();
        outcome.put("checkpoint", checkpoint.toString()).put("version", info.version());
        ObjectNode thresholds = outcome.putObject("thresholds");
        new TreeMap<>(info.calibration().byProduct()).forEach((product, c) -> thresholds.put(product, c.threshold()));
        outcome.put("fallbackThreshold", info.calibration().fallback().threshold());
        return outcome;
    }
}

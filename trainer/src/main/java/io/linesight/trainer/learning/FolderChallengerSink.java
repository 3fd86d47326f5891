package io.linesight.trainer.learning;

import io.linesight.schemas.GateOutcome;
import io.linesight.schemas.ModelVersion;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Puts challengers into a folder, {@code <version>.onnx} with {@code <version>.json} beside it; those that the gate did
 * not pass into its sub-folder {@code not-passed}. The JSON is written last, so what has one is complete.
 */
public final class FolderChallengerSink implements ChallengerSink {
    private final Path folder;

    public FolderChallengerSink(Path folder) {
        this.folder = folder;
    }

    @Override
    public void offer(Path checkpoint, ModelVersion draft) throws IOException {
        Path to = draft.getGate().getOutcome() == GateOutcome.PASSED ? folder : folder.resolve("not-passed");
        Files.createDirectories(to);
        RunFolder.copy(checkpoint, to.resolve(draft.getVersion() + ".onnx"));
        RunFolder.write(
                to.resolve(draft.getVersion() + ".json"), draft.toString().getBytes(StandardCharsets.UTF_8));
    }
}

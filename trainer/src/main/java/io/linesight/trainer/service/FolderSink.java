package io.linesight.trainer.service;

import io.linesight.schemas.GateOutcome;
import io.linesight.schemas.ModelVersion;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/**
 * Puts challengers into a folder, {@code <version>.onnx} with {@code <version>.json} beside it; those that the gate did not pass into its
 * sub-folder {@code not-passed}. The JSON is written last, so what has one is complete.
 */
public final class FolderSink implements ChallengerSink {
    private final Path folder;

    public FolderSink(Path folder) {
        this.folder = folder;
    }

    @Override
    public void offer(Path checkpoint, ModelVersion draft) throws IOException {
        Path to = draft.getGate().getOutcome() == GateOutcome.PASSED ? folder : folder.resolve("not-passed");
        Files.createDirectories(to);
        Path part = to.resolve(draft.getVersion() + ".part");
        Files.copy(checkpoint, part, StandardCopyOption.REPLACE_EXISTING);
        Files.move(part, to.resolve(draft.getVersion() + ".onnx"), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        Files.write(part, draft.toString().getBytes(StandardCharsets.UTF_8));
        Files.move(part, to.resolve(draft.getVersion() + ".json"), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
}

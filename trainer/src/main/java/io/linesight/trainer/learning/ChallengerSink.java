package io.linesight.trainer.learning;

import io.linesight.schemas.ModelVersion;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Takes what the trainer made. Called on the trainer's run thread.
 *
 * <p>Every challenger comes here with its verdict, so that people can see why one failed. Only one whose
 * {@code gate.outcome} is PASSED may ever be promoted, or offered for it.
 *
 * <p>After a crash the same version may come again; taking it twice must be the same as once.
 */
public interface ChallengerSink {
    /**
     * @param checkpoint complete file whose SHA-256 and size are in the draft; it goes away some runs later
     * @param draft everything but location, chunks and signature
     * @throws IOException when it cannot be taken now; the trainer offers it again after a pause
     */
    void offer(Path checkpoint, ModelVersion draft) throws IOException;
}

package io.linesight.trainer.learning;

import io.linesight.schemas.ModelVersion;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Receives challengers. Called on the trainer's run thread.
 *
 * <p>Every challenger is offered with its verdict, so that people can see why one failed. Only one whose
 * {@code gate.outcome} is PASSED may ever be promoted, or offered for it.
 *
 * <p>After a crash the same version may be offered again; accepting it twice must be the same as once.
 */
public interface ChallengerSink {
    /**
     * @param checkpoint complete file whose SHA-256 and size are in the draft; the trainer deletes it some runs later
     * @param draft everything but location, chunks and signature
     * @throws IOException when it cannot be accepted now; the trainer offers it again after a delay
     */
    void offer(Path checkpoint, ModelVersion draft) throws IOException;
}

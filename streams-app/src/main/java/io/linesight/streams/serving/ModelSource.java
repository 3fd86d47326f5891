package io.linesight.streams.serving;

import io.linesight.schemas.ModelVersion;
import java.io.IOException;
import java.nio.file.Path;

/** Where the bytes of published checkpoints come from. Called from the lifecycle's thread only, one call at a time. */
@FunctionalInterface
public interface ModelSource {

    /**
     * Brings a checkpoint to disk. May take long; the champion keeps scoring.
     *
     * @param directory exists, is empty and belongs to this call; it is deleted afterwards, whatever became of the
     *     checkpoint
     * @return the file, anywhere; a file outside {@code directory} stays where it is
     * @throws IOException when the bytes cannot be had now; it is tried again later
     */
    Path fetch(ModelVersion version, Path directory) throws IOException;
}

package io.linesight.trainer.learning;

import java.nio.file.Path;

/**
 * The checkpoint that a channel runs.
 *
 * @param version its version
 * @param file the whole checkpoint; the trainer copies it before a run and never writes to it
 */
public record Champion(String version, Path file) {}

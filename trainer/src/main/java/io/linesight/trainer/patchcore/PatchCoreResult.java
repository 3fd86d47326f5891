package io.linesight.trainer.patchcore;

import io.linesight.mmad.checkpoint.CheckpointInfo;
import java.nio.file.Path;

/**
 * What came of a fit.
 *
 * @param checkpoint file written
 * @param info its metadata, thresholds included
 * @param images images learnt from, those held out for calibration not counted
 * @param skipped unreadable images left out
 * @param candidates patches that the bank was chosen from
 * @param bank patches in the bank
 * @param seconds wall-clock time of all of it
 */
public record PatchCoreResult(
        Path checkpoint, CheckpointInfo info, int images, int skipped, int candidates, int bank, double seconds) {}

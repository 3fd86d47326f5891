package io.linesight.trainer.fit;

import io.linesight.mmad.checkpoint.CheckpointInfo;
import java.nio.file.Path;
import java.util.Map;

/**
 * What came of a training run.
 *
 * @param checkpoint file written
 * @param info its metadata, thresholds included
 * @param steps optimiser steps
 * @param epochs passes over the training images (the last may be partial)
 * @param images training images, those held out for calibration not counted
 * @param heldOut held-out normals per category
 * @param skipped unreadable images left out
 * @param firstLoss mean loss over the first epoch; this and the next two are NaN where nothing was trained
 * @param lastLoss mean loss over the last full epoch (or all steps when there was none)
 * @param secondsPerImage wall-clock seconds of training per image seen, encoder not counted
 */
public record FitResult(
        Path checkpoint,
        CheckpointInfo info,
        long steps,
        double epochs,
        int images,
        Map<String, Integer> heldOut,
        int skipped,
        double firstLoss,
        double lastLoss,
        double secondsPerImage) {}

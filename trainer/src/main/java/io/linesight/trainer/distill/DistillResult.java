package io.linesight.trainer.distill;

import java.nio.file.Path;
import java.util.List;

/**
 * What came of a distillation. Immutable.
 *
 * @param encoder file written; the model card lies beside it
 * @param finished false when it was called off before the budget was used up; the same call goes on from there
 * @param steps optimiser steps so far, all runs together
 * @param images crops learned from so far
 * @param seconds training time so far
 * @param lastLoss loss of the last step: the sum over the strides of the share of weighted variance that is left, so
 *     that a student that always answers 0 has about 3; NaN when the budget was used up already and this run made no
 *     step
 * @param explained per stride 4, 8, 16: share of the targets' variance explained on held-out crops; at most 1, negative
 *     when worse than the targets' mean
 * @param weightedExplained the same with the components weighted as in the loss
 */
public record DistillResult(
        Path encoder,
        boolean finished,
        long steps,
        long images,
        double seconds,
        double lastLoss,
        List<Double> explained,
        List<Double> weightedExplained) {}

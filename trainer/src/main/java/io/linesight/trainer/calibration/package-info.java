/**
 * Thresholds: how a product's decision point, logit scale and review band follow from the scores of normal and
 * anomalous images, and how they get into a checkpoint.
 */
@NullMarked
package io.linesight.trainer.calibration;

import org.jspecify.annotations.NullMarked;

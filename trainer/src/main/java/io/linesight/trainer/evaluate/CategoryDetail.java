package io.linesight.trainer.evaluate;

import io.linesight.mmad.accuracy.CategoryCurves;
import io.linesight.mmad.checkpoint.ProductCalibration;
import org.jspecify.annotations.Nullable;

/**
 * What lies behind one category's figures.
 *
 * @param curves the curves the figures are areas of
 * @param calibration where the checkpoint draws the line
 * @param ownLine false when the checkpoint was not calibrated on this category and takes its fallback
 * @param unmarked defective images without ground truth; one of them leaves the category without pixel figures
 * @param vanished defective images whose ground truth marks nothing at the model's resolution, counted as normal
 * @param misshapen ground truths whose proportions are not their image's; they are stretched to fit
 * @param firstMisshapen name of the first such image, or null
 */
public record CategoryDetail(
        CategoryCurves curves,
        ProductCalibration calibration,
        boolean ownLine,
        int unmarked,
        int vanished,
        int misshapen,
        @Nullable String firstMisshapen) {}

package io.linesight.mmad.accuracy;

/**
 * The curves behind one category's {@link CategoryMetrics}, made of the same counts; each null where its metric is.
 *
 * @param imageRoc true over false-positive rate of the images; its area is the image AUROC
 * @param imagePrecisionRecall precision over recall of the images, in steps; its area is the image AP
 * @param pixelRoc the same per pixel, on 50 strips; its area is the pixel AUROC
 * @param pixelPrecisionRecall its area is the pixel AP; begins at the highest threshold, not at recall 0
 * @param regionOverlap mean region overlap over false-positive rate, up to 0.3; its area over 0.3 is the AUPRO
 */
public record CategoryCurves(
        Curve imageRoc, Curve imagePrecisionRecall, Curve pixelRoc, Curve pixelPrecisionRecall, Curve regionOverlap) {
    /** False-positive rate at which {@link #regionOverlap} ends. */
    public static final double OVERLAP_LIMIT = BinnedCurves.FPR_LIMIT;
}

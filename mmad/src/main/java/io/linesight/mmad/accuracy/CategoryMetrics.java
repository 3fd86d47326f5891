package io.linesight.mmad.accuracy;

import java.util.Collection;
import java.util.function.Function;

/**
 * The seven metrics of one category, or their mean over categories, as fractions 0..1; null where undefined: image
 * metrics need at least one normal and one anomalous image, pixel metrics a mask for every anomalous image.
 *
 * @param imageAuroc area under the ROC curve of the image scores
 * @param imageAp average precision of the image scores
 * @param imageF1max highest F1 of the image scores
 * @param pixelAuroc the same per pixel, on 50 strips
 * @param pixelAp average precision per pixel, on 50 strips
 * @param pixelF1max highest F1 per pixel, over 21 thresholds
 * @param aupro area under the per-region overlap up to a false-positive rate of 0.3, on 50 strips
 * @param mad mean of the seven; null when any of them is
 * @param normal number of normal images
 * @param anomalous number of anomalous images
 */
public record CategoryMetrics(
        Double imageAuroc,
        Double imageAp,
        Double imageF1max,
        Double pixelAuroc,
        Double pixelAp,
        Double pixelF1max,
        Double aupro,
        Double mad,
        int normal,
        int anomalous) {

    /**
     * The unweighted mean over categories, each metric over those that have it (null when none has); image counts are
     * summed.
     */
    public static CategoryMetrics mean(Collection<CategoryMetrics> categories) {
        return new CategoryMetrics(
                mean(categories, CategoryMetrics::imageAuroc),
                mean(categories, CategoryMetrics::imageAp),
                mean(categories, CategoryMetrics::imageF1max),
                mean(categories, CategoryMetrics::pixelAuroc),
                mean(categories, CategoryMetrics::pixelAp),
                mean(categories, CategoryMetrics::pixelF1max),
                mean(categories, CategoryMetrics::aupro),
                mean(categories, CategoryMetrics::mad),
                categories.stream().mapToInt(CategoryMetrics::normal).sum(),
                categories.stream().mapToInt(CategoryMetrics::anomalous).sum());
    }

    private static Double mean(Collection<CategoryMetrics> categories, Function<CategoryMetrics, Double> metric) {
        double sum = 0;
        int n = 0;
        for (CategoryMetrics c : categories) {
            Double v = metric.apply(c);
            if (v != null) {
                sum += v;
                n++;
            }
        }
        return n == 0 ? null : sum / n;
    }
}

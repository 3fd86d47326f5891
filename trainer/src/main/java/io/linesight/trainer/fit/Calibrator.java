package io.linesight.trainer.fit;

import io.linesight.mmad.checkpoint.Calibration;
import io.linesight.mmad.checkpoint.ProductCalibration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Thresholds from the scores of images that were not trained on. The bound of a product is the upper 99 % prediction bound of one more normal
 * score (Student's t: few images give a wider margin), but never below the highest score seen: about one false reject in a hundred normal
 * parts. A logit is one standard deviation of the normal scores.
 *
 * <p>Without anomalous scores the threshold is that bound. With some it lies between the bound and the threshold of the best F1 (of several
 * equally good ones the one nearest to the bound): n anomalous scores move it by the share {@code n / (n + 10)} of the way. So anomalous
 * labels only ever lower a threshold, a few only a little, and defects that are easy to see do not raise it above what subtle ones need. It is
 * never lowered so far that more than one in twenty of the normals given would be rejected.
 */
final class Calibrator {
    private static final double Z99 = 2.3263478740;
    /** Never let a product be more certain than this share of its threshold per logit: a spread of zero says nothing about defects. */
    private static final double LEAST_SCALE = 0.02;
    /** Anomalous scores that move the threshold half of the way. */
    private static final double HALF_WAY = 10;
    private static final double MOST_FALSE_ALARMS = 0.05;

    private Calibrator() { }

    /** @param scores held-out normal scores per product, each at least one */
    static Calibration calibrate(Map<String, List<Double>> scores) {
        Map<String, ProductCalibration> products = new TreeMap<>();
        List<Double> all = new ArrayList<>();
        scores.forEach((product, s) -> {
            products.put(product, of(s));
            all.addAll(s);
        });
        return new Calibration(of(all), products);
    }

    static ProductCalibration of(List<Double> scores) {
        int n = scores.size();
        double mean = scores.stream().mapToDouble(d -> d).average().orElseThrow();
        double max = scores.stream().mapToDouble(d -> d).max().orElseThrow();
        double deviation = n < 2 ? mean * 0.1 : Math.sqrt(scores.stream().mapToDouble(d -> (d - mean) * (d - mean)).sum() / (n - 1));
        double bound = mean + (n < 2 ? Z99 : student(n - 1)) * deviation * Math.sqrt(1 + 1.0 / n);
        double threshold = Math.max(bound, max);
        return new ProductCalibration(threshold, Math.max(Math.max(deviation, LEAST_SCALE * Math.abs(threshold)), 1e-9));
    }

    /**
     * The same, given scores of anomalous images too.
     *
     * @param normals   at least one
     * @param anomalous may be empty
     */
    static ProductCalibration of(List<Double> normals, List<Double> anomalous) {
        ProductCalibration bound = of(normals);
        if (anomalous.isEmpty()) return bound;
        double best = bestF1(normals, anomalous, bound.threshold());
        double share = anomalous.size() / (anomalous.size() + HALF_WAY);
        double threshold = bound.threshold() + share * (best - bound.threshold());
        // Scores equal to the threshold are rejected, so just above the first normal that has to pass.
        List<Double> sorted = normals.stream().sorted(java.util.Comparator.reverseOrder()).toList();
        double floor = Math.nextUp(sorted.get((int) (MOST_FALSE_ALARMS * sorted.size())));
        threshold = Math.min(bound.threshold(), Math.max(threshold, floor));
        return new ProductCalibration(threshold, bound.scale());
    }

    /** The threshold at or below {@code highest}, nearest to it, that separates best; a score at the threshold counts as rejected. */
    private static double bestF1(List<Double> normals, List<Double> anomalous, double highest) {
        double[] n = normals.stream().mapToDouble(d -> d).sorted().toArray();
        double[] a = anomalous.stream().mapToDouble(d -> d).sorted().toArray();
        double at = highest;
        double best = f1(n, a, highest);
        for (int i = a.length - 1; i >= 0; i--) {
            // Going down, only reaching one more anomalous score can be better.
            if (a[i] >= highest) continue;
            double f = f1(n, a, a[i]);
            if (f > best + 1e-12) {
                best = f;
                at = a[i];
            }
        }
        return at;
    }

    private static double f1(double[] normals, double[] anomalous, double threshold) {
        long tp = java.util.Arrays.stream(anomalous).filter(d -> d >= threshold).count();
        long fp = java.util.Arrays.stream(normals).filter(d -> d >= threshold).count();
        return tp == 0 ? 0 : 2.0 * tp / (tp + fp + anomalous.length);
    }

    /** One-sided 99 % quantile of Student's t (Cornish-Fisher expansion from 5 degrees of freedom, capped where there are next to none). */
    static double student(int freedom) {
        double[] table = {31.82, 6.965, 4.541, 3.747};
        if (freedom <= table.length) return Math.min(table[freedom - 1], 7);
        double v = freedom;
        double z = Z99;
        double z3 = z * z * z;
        double z5 = z3 * z * z;
        double z7 = z5 * z * z;
        return z + (z3 + z) / (4 * v) + (5 * z5 + 16 * z3 + 3 * z) / (96 * v * v) + (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * v * v * v);
    }
}

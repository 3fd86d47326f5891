package io.linesight.trainer.fit;

import io.linesight.mmad.checkpoint.Calibration;
import io.linesight.mmad.checkpoint.ProductCalibration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Thresholds from the scores of normal images that were not trained on. The threshold of a product is the upper 99 % prediction bound of one
 * more normal score (Student's t: few images give a wider margin), but never below the highest score seen: about one false reject in a
 * hundred normal parts. A logit is one standard deviation of the normal scores.
 */
final class Calibrator {
    private static final double Z99 = 2.3263478740;
    /** Never let a product be more certain than this share of its threshold per logit: a spread of zero says nothing about defects. */
    private static final double LEAST_SCALE = 0.02;

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

package io.linesight.trainer.fit;

import java.util.Arrays;

/** How high the scores of normal pictures reach: which score a share of them exceeds. Never rises with the share. */
interface Tail {
    /** @param rate share of normal pictures at or above the score, 0..0.5 */
    double quantile(double rate);

    /** Share of normal pictures at or above the score; at most a half. */
    default double rate(double score) {
        double low = 1e-9;
        double high = 0.5;
        if (score <= quantile(high)) return high;
        if (score >= quantile(low)) return 0;
        for (int i = 0; i < 100; i++) {
            double middle = Math.sqrt(low * high);
            if (quantile(middle) >= score) low = middle;
            else high = middle;
        }
        return high;
    }

    /** The scores' own quantiles, so placed that a further score exceeds them with the given probability; from the highest on, the highest. */
    static Tail empirical(double[] scores) {
        double[] sorted = scores.clone();
        Arrays.sort(sorted);
        return rate -> {
            double at = (1 - rate) * (sorted.length + 1) - 1;
            int i = (int) Math.max(0, Math.min(sorted.length - 1, Math.floor(at)));
            int next = Math.min(sorted.length - 1, i + 1);
            return sorted[i] + Math.max(0, Math.min(1, at - i)) * (sorted[next] - sorted[i]);
        };
    }

    /** The normal distribution, standardised. */
    static Tail normal() {
        return Distributions::normalQuantile;
    }

    /** Student's prediction bound of one more score. */
    static Tail student(double[] scores) {
        int n = scores.length;
        double mean = Arrays.stream(scores).average().orElseThrow();
        double deviation = n < 2 ? Math.abs(mean) * 0.1 : Math.sqrt(Arrays.stream(scores).map(d -> (d - mean) * (d - mean)).sum() / (n - 1));
        // Where there are next to no degrees of freedom the bound would be nowhere.
        return rate -> mean + Math.min(7, n < 2 ? Distributions.normalQuantile(rate) : Distributions.studentQuantile(rate, n - 1)) * deviation * Math.sqrt(1 + 1.0 / n);
    }

    /**
     * Peaks over threshold: the highest scores follow a generalised Pareto distribution, fitted by probability-weighted moments; below, the scores'
     * own quantiles. A shape from so few peaks is mostly chance, so it is drawn towards the exponential and kept within ±0.5; 1/k is added to
     * it, which makes the quantile of an exponential with an estimated scale that of its next value.
     */
    static Tail pareto(double[] scores) {
        int n = scores.length;
        int k = Math.max(Math.min(10, n / 2), (int) Math.round(0.15 * n));
        double[] sorted = scores.clone();
        Arrays.sort(sorted);
        double from = sorted[n - k - 1];
        double mean = 0;
        double weighted = 0;
        for (int i = 0; i < k; i++) {
            double peak = sorted[n - k + i] - from;
            mean += peak / k;
            weighted += peak * (k - 1 - i) / (k - 1) / k;
        }
        Tail below = empirical(scores);
        double share = (double) k / n;
        if (!(mean > 0)) return below;
        double raw = mean - 2 * weighted > 1e-12 * mean ? 2 - mean / (mean - 2 * weighted) : 0.5;
        double shape = Math.max(-0.5, Math.min(0.5, raw * k / (k + 20.0)));
        double scale = mean * (1 - shape);
        double next = shape + 1.0 / k;
        return rate -> {
            if (rate >= share) return Math.min(from, below.quantile(rate));
            double t = Math.log(rate / share);
            return from + (Math.abs(next) < 1e-9 ? -scale * t : scale * Math.expm1(-next * t) / next);
        };
    }
}

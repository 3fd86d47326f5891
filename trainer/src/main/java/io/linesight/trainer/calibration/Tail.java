package io.linesight.trainer.calibration;

import java.util.Arrays;

/** How high the scores of normal images reach: which score a share of them exceeds. Never rises with the share. */
interface Tail {
    /** Scores that are no higher have no logarithm that means anything. */
    double MIN_LOGARITHM = 1e-9;

    /** @param rate share of normal images at or above the score, 0..0.5 */
    double quantile(double rate);

    /** Share of normal images at or above the score; at most a half. */
    default double rate(double score) {
        double low = 1e-9;
        double high = 0.5;
        if (score <= quantile(high)) return high;
        if (score >= quantile(low)) return 0;
        for (int i = 0; i < 40; i++) {
            double middle = Math.sqrt(low * high);
            if (quantile(middle) >= score) low = middle;
            else high = middle;
        }
        return high;
    }

    /**
     * The scores' own quantiles, so placed that a further score exceeds them with the given probability; from the
     * highest on, the highest.
     */
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

    /**
     * Student's prediction bound of one more score; of its logarithm where all are positive, since image scores are
     * skewed.
     */
    static Tail student(double[] scores) {
        return student(scores, Arrays.stream(scores).allMatch(d -> d > MIN_LOGARITHM), scores.length);
    }

    /** The same of the scores as they are, of which only so many groups are independent. */
    static Tail student(double[] scores, int groups) {
        return student(scores, false, groups);
    }

    private static Tail student(double[] scores, boolean log, int independent) {
        double[] x = log ? Arrays.stream(scores).map(Math::log).toArray() : scores;
        int n = x.length;
        double mean = Arrays.stream(x).average().orElseThrow();
        double deviation = n < 2
                ? log ? 0.1 : Math.abs(mean) * 0.1
                : Math.sqrt(Arrays.stream(x).map(d -> (d - mean) * (d - mean)).sum() / (n - 1));
        return rate -> {
            // Where there are next to no degrees of freedom the bound would be nowhere.
            double t = Math.min(
                    7,
                    independent < 2
                            ? Distributions.normalQuantile(rate)
                            : Distributions.studentQuantile(rate, independent - 1));
            double bound = mean + t * deviation * Math.sqrt(1 + 1.0 / independent);
            return log ? Math.exp(bound) : bound;
        };
    }

    /** Where the shape of image scores' tails is drawn to: exponential. */
    double USUAL_SHAPE = 0;

    /**
     * Peaks over threshold: the highest scores follow a generalised Pareto distribution, fitted by probability-weighted
     * moments; below, the scores' own quantiles. 1/k is added to the shape, which makes the quantile of an exponential
     * with an estimated scale that of its next value.
     */
    static Tail pareto(double[] scores) {
        return pareto(scores, USUAL_SHAPE, true);
    }

    /** The same of scores of which only so many groups are independent: as many fewer peaks tell of the tail. */
    static Tail pareto(double[] scores, int groups) {
        return pareto(scores, USUAL_SHAPE, true, (double) groups / scores.length);
    }

    /**
     * The same.
     *
     * @param usual where the shape is drawn to, which from so few peaks is mostly chance; it is kept within ±0.5
     * @param next whether the quantiles are to hold for one more score, and not to be as near to the truth as possible
     */
    static Tail pareto(double[] scores, double usual, boolean next) {
        return pareto(scores, usual, next, 1);
    }

    private static Tail pareto(double[] scores, double usual, boolean next, double independent) {
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
        double peaks = Math.max(1, k * independent);
        double own = peaks / (peaks + 20.0);
        double shape = Math.max(-0.5, Math.min(0.5, own * raw + (1 - own) * usual));
        double scale = mean * (1 - shape);
        double used = next ? shape + 1 / peaks : shape;
        return rate -> {
            if (rate >= share) return Math.min(from, below.quantile(rate));
            double t = Math.log(rate / share);
            return from + (Math.abs(used) < 1e-9 ? -scale * t : scale * Math.expm1(-used * t) / used);
        };
    }
}

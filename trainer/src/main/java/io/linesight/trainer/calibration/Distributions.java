package io.linesight.trainer.calibration;

import org.apache.commons.statistics.distribution.BetaDistribution;
import org.apache.commons.statistics.distribution.NormalDistribution;
import org.apache.commons.statistics.distribution.TDistribution;

/** The few quantiles that thresholds need. */
final class Distributions {
    private static final NormalDistribution NORMAL = NormalDistribution.of(0, 1);
    /** Degrees of freedom from which on Student's quantile is a series around the normal one. */
    private static final double MANY = 100;

    private Distributions() {}

    /** Point that a standard normal value exceeds with this probability, 0..0.5. */
    static double normalQuantile(double upper) {
        return upper >= 0.5 ? 0 : NORMAL.inverseSurvivalProbability(Math.max(0, upper));
    }

    /** Point that Student's t exceeds with this probability, 0..0.5; freedom may be any positive number. */
    static double studentQuantile(double upper, double freedom) {
        if (upper >= 0.5) return 0;
        return freedom < MANY
                ? TDistribution.of(freedom).inverseSurvivalProbability(upper)
                : nearlyNormalQuantile(normalQuantile(upper), freedom);
    }

    /** Cornish and Fisher's series, kept so that thresholds with many degrees of freedom stay what they are. */
    private static double nearlyNormalQuantile(double z, double v) {
        double z3 = z * z * z;
        double z5 = z3 * z * z;
        return z + (z3 + z) / (4 * v) + (5 * z5 + 16 * z3 + 3 * z) / (96 * v * v);
    }

    /** Upper confidence bound of a share, of which {@code k} in {@code n} were seen (Clopper-Pearson, one-sided). */
    static double upperBound(int k, int n, double confidence) {
        return k >= n ? 1 : BetaDistribution.of(k + 1, n - k).inverseCumulativeProbability(confidence);
    }
}

package io.linesight.trainer.calibration;

import java.util.function.DoubleUnaryOperator;

/** The few distributions that thresholds need. */
final class Distributions {
    private static final double[] LANCZOS = {
        76.18009172947146,
        -86.50532032941677,
        24.01409824083091,
        -1.231739572450155,
        0.1208650973866179e-2,
        -0.5395239384953e-5
    };

    private static final double[] BODY_ABOVE = {
        -3.969683028665376e+01,
        2.209460984245205e+02,
        -2.759285104469687e+02,
        1.383577518672690e+02,
        -3.066479806614716e+01,
        2.506628277459239e+00
    };
    private static final double[] BODY_BELOW = {
        -5.447609879822406e+01,
        1.615858368580409e+02,
        -1.556989798598866e+02,
        6.680131188771972e+01,
        -1.328068155288572e+01
    };
    private static final double[] TAIL_ABOVE = {
        -7.784894002430293e-03,
        -3.223964580411365e-01,
        -2.400758277161838e+00,
        -2.549732539343734e+00,
        4.374664141464968e+00,
        2.938163982698783e+00
    };
    private static final double[] TAIL_BELOW = {
        7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00, 3.754408661907416e+00
    };

    private Distributions() {}

    /**
     * Point that a standard normal value exceeds with this probability, 0..0.5 (Acklam's approximation, to nine
     * digits).
     */
    static double normalQuantile(double upper) {
        if (upper >= 0.5) return 0;
        if (upper <= 0) return Double.POSITIVE_INFINITY;
        if (upper < 0.02425) {
            double q = Math.sqrt(-2 * Math.log(upper));
            return -polynomial(TAIL_ABOVE, q) / (polynomial(TAIL_BELOW, q) * q + 1);
        }
        double q = 0.5 - upper;
        double r = q * q;
        return polynomial(BODY_ABOVE, r) * q / (polynomial(BODY_BELOW, r) * r + 1);
    }

    /** Point that Student's t exceeds with this probability, 0..0.5; freedom may be any positive number. */
    static double studentQuantile(double upper, double freedom) {
        if (upper >= 0.5) return 0;
        double v = freedom;
        if (v >= 100) {
            double z = normalQuantile(upper);
            double z3 = z * z * z;
            double z5 = z3 * z * z;
            return z + (z3 + z) / (4 * v) + (5 * z5 + 16 * z3 + 3 * z) / (96 * v * v); // Cornish and Fisher
        }
        // P(T > t) = I(v / (v + t^2); v/2, 1/2) / 2
        double x = invert(p -> beta(p, v / 2, 0.5), 2 * upper);
        return Math.sqrt(v * (1 - x) / x);
    }

    /** Upper confidence bound of a share, of which {@code k} in {@code n} were seen (Clopper-Pearson, one-sided). */
    static double upperBound(int k, int n, double confidence) {
        if (k >= n) return 1;
        return invert(p -> beta(p, k + 1, n - k), confidence);
    }

    /** Highest power first. */
    private static double polynomial(double[] c, double x) {
        double sum = 0;
        for (double a : c) sum = sum * x + a;
        return sum;
    }

    /** Where an increasing function on 0..1 reaches a value. */
    private static double invert(DoubleUnaryOperator f, double value) {
        double low = 0;
        double high = 1;
        for (int i = 0; i < 100 && high - low > 1e-11 * high; i++) {
            double middle = low > 0 && high / low > 4 ? Math.sqrt(low * high) : (low + high) / 2;
            if (f.applyAsDouble(middle) < value) low = middle;
            else high = middle;
        }
        return (low + high) / 2;
    }

    /** Regularised incomplete beta function I(x; a, b). */
    static double beta(double x, double a, double b) {
        if (x <= 0) return 0;
        if (x >= 1) return 1;
        double front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
        return x < (a + 1) / (a + b + 2) ? front * fraction(x, a, b) / a : 1 - front * fraction(1 - x, b, a) / b;
    }

    /** Continued fraction by Lentz's method. */
    private static double fraction(double x, double a, double b) {
        double tiny = 1e-300;
        double c = 1;
        double d = 1 - (a + b) * x / (a + 1);
        d = 1 / (Math.abs(d) < tiny ? tiny : d);
        double h = d;
        for (int m = 1; m <= 2000; m++) {
            for (int odd = 0; odd < 2; odd++) {
                double step = odd == 0
                        ? m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
                        : -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
                d = 1 + step * d;
                c = 1 + step / c;
                d = 1 / (Math.abs(d) < tiny ? tiny : d);
                c = Math.abs(c) < tiny ? tiny : c;
                h *= d * c;
                if (odd == 1 && Math.abs(d * c - 1) < 1e-14) return h;
            }
        }
        return h;
    }

    private static double logGamma(double x) {
        double t = x + 5.5 - (x + 0.5) * Math.log(x + 5.5);
        double sum = 1.000000000190015;
        for (int i = 0; i < LANCZOS.length; i++) sum += LANCZOS[i] / (x + 1 + i);
        return -t + Math.log(2.5066282746310005 * sum / x);
    }
}

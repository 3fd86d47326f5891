package io.linesight.trainer.fit;

import java.util.function.DoubleUnaryOperator;

/** The few distributions that thresholds need. */
final class Distributions {
    private static final double[] LANCZOS = {76.18009172947146, -86.50532032941677, 24.01409824083091, -1.231739572450155, 0.1208650973866179e-2, -0.5395239384953e-5};

    private Distributions() { }

    /** Point that a standard normal value exceeds with this probability. */
    static double normalQuantile(double upper) {
        return studentQuantile(upper, Double.POSITIVE_INFINITY);
    }

    /** Point that Student's t exceeds with this probability, 0..0.5; freedom may be any positive number. */
    static double studentQuantile(double upper, double freedom) {
        if (upper >= 0.5) return 0;
        double v = Math.min(freedom, 20_000);   // beyond that it is the normal distribution to four digits
        // P(T > t) = I(v / (v + t^2); v/2, 1/2) / 2
        double x = invert(p -> beta(p, v / 2, 0.5), 2 * upper);
        return Math.sqrt(v * (1 - x) / x);
    }

    /** Upper confidence bound of a share, of which {@code k} in {@code n} were seen (Clopper-Pearson, one-sided). */
    static double upperBound(int k, int n, double confidence) {
        if (k >= n) return 1;
        return invert(p -> beta(p, k + 1, n - k), confidence);
    }

    /** Where an increasing function on 0..1 reaches a value. */
    private static double invert(DoubleUnaryOperator f, double value) {
        double low = 0;
        double high = 1;
        for (int i = 0; i < 200 && high - low > 1e-15 * high; i++) {
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
                double step = odd == 0 ? m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)) : -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
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

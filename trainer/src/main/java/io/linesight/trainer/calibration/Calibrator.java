package io.linesight.trainer.calibration;

import io.linesight.mmad.checkpoint.Calibration;
import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.mmad.checkpoint.ReviewBand;
import io.linesight.mmad.checkpoint.ScoreQuantiles;
import io.linesight.mmad.checkpoint.ThresholdBasis;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/**
 * Thresholds from the scores of images that were not trained on: where only the wanted share of normal parts scores as
 * high. How the normals' {@link Tail} is found goes by their number ({@link ThresholdMethod}); a logit is one standard
 * deviation of the normal scores there.
 *
 * <p>Where the normals' groups are known, it goes by the number of groups, the quantile of the tail is that of so many
 * independent peaks, and products with few groups get Student's bound of the scores as they are: of so many groups
 * where these are known, of the images where they are but similar.
 *
 * <p>Anomalous scores lower the threshold towards that of the best F1 (of several equally good ones the one nearest to
 * the normals' threshold): n of them move it by the share {@code n / (n + 10)} of the way. So anomalous labels only
 * ever lower a threshold, a few only a little, and defects that are easy to see do not raise it above what subtle ones
 * need. It is never lowered so far that more than one in twenty of the normals given (or the wanted share, where that
 * is more) would be rejected. From five of them on the scale is fitted too, by logistic regression that leaves 0.5 at
 * the threshold.
 *
 * <p>The review band lies around the threshold from where three times as many normals would be rejected to where a
 * third as many would.
 */
final class Calibrator {
    /** Normals from which on their highest scores say how the tail falls. */
    static final int ENOUGH_FOR_TAIL = 50;
    /** Normals over rate from which on the scores' own quantile is as good as any fit. */
    private static final double ENOUGH_FOR_QUANTILE = 100;
    /**
     * Never let a product be more certain than this share of its threshold per logit: a spread of zero says nothing
     * about defects.
     */
    private static final double MIN_SCALE = 0.02;
    /** Anomalous scores that move the threshold half of the way. */
    private static final double HALF_WAY = 10;

    private static final double MAX_FALSE_ALARMS = 0.05;
    private static final int MIN_FOR_SCALE = 5;
    /** How many times more, and fewer, normals lie at the ends of the review band. */
    private static final double BAND = 3;

    private static final double CONFIDENCE = 0.95;

    private Calibrator() {}

    /** Thresholds of all products, and by Student's bound of all their normals together that of others. */
    static Calibration calibrate(Map<String, ProductScores> samples, CalibrationRule rule) {
        Map<String, Tail> pooled = PooledTails.tails(samples);
        Map<String, ProductCalibration> products = new TreeMap<>();
        samples.forEach((product, s) ->
                products.put(product, of(s, pooled.get(product), samples.size() > 1 || s.training().length > 0, rule)));
        double[] all = samples.values().stream()
                .flatMapToDouble(s -> Arrays.stream(s.normals()))
                .toArray();
        return new Calibration(bound(all, rule), products);
    }

    /** What products get that nothing is known of: a wide margin above all the others' normals. */
    private static ProductCalibration bound(double[] normals, CalibrationRule rule) {
        ProductCalibration c = of(
                ProductScores.normals(normals),
                null,
                false,
                new CalibrationRule(rule.falseReject(), ThresholdMethod.STUDENT));
        // A band or a rate would be made up: these are the normals of other products.
        return new ProductCalibration(c.threshold(), c.scale());
    }

    private static ProductCalibration of(ProductScores s, Tail pooled, boolean company, CalibrationRule rule) {
        ThresholdMethod method = method(s.independent(), company && !s.isGrouped(), rule);
        Tail tail =
                switch (method) {
                    case QUANTILE -> Tail.empirical(s.normals());
                    case EVT -> s.isGrouped() ? Tail.pareto(s.normals(), s.groups()) : Tail.pareto(s.normals());
                    case POOLED -> pooled;
                    default ->
                        s.isGrouped() ? Tail.student(s.normals(), s.independentForSpread()) : Tail.student(s.normals());
                };
        double threshold = tail.quantile(rule.falseReject());
        // The highest of grouped ones is often an image whose like is in no other group.
        if (method == ThresholdMethod.STUDENT && !s.isGrouped())
            threshold = Math.max(threshold, Arrays.stream(s.normals()).max().orElseThrow());
        // The normals' spread as the upper tail has it, which is the side that decides.
        double deviation = (threshold - tail.quantile(0.5)) / Distributions.normalQuantile(rule.falseReject());
        double scale = Math.max(Math.max(deviation, MIN_SCALE * Math.abs(threshold)), 1e-9);
        boolean lowers = s.anomalous().length > 0
                && (rule.method() == ThresholdMethod.AUTO || rule.method() == ThresholdMethod.F1MAX);
        if (lowers) threshold = lowered(s.normals(), s.anomalous(), threshold, rule.falseReject());
        if (lowers && s.anomalous().length >= MIN_FOR_SCALE)
            scale = Logistic.scale(s.normals(), s.anomalous(), threshold, scale);
        return described(s, tail, threshold, scale, lowers ? ThresholdMethod.F1MAX : method, rule);
    }

    /** What the number of normals allows, or what was asked for. */
    private static ThresholdMethod method(int normals, boolean company, CalibrationRule rule) {
        if (rule.method() != ThresholdMethod.AUTO && rule.method() != ThresholdMethod.F1MAX) {
            // A tail needs a few scores to be fitted to; what cannot be had is not replaced in silence.
            int min = rule.method() == ThresholdMethod.EVT ? 20 : 1;
            if (normals < min)
                throw new IllegalArgumentException(
                        "the method evt needs at least " + min + " normal images, and there are " + normals
                                + "; give more, or let the program choose the method");
            return rule.method();
        }
        if (normals >= ENOUGH_FOR_QUANTILE / rule.falseReject()) return ThresholdMethod.QUANTILE;
        if (normals >= ENOUGH_FOR_TAIL) return ThresholdMethod.EVT;
        return company ? ThresholdMethod.POOLED : ThresholdMethod.STUDENT;
    }

    private static ProductCalibration described(
            ProductScores s, Tail tail, double threshold, double scale, ThresholdMethod method, CalibrationRule rule) {
        double rate =
                Math.max(tail.rate(threshold), 1e-9); // a threshold above all that the tail knows still has a band
        double low = Math.min(threshold, tail.quantile(Math.min(0.5, BAND * rate)));
        double high = Math.max(threshold, tail.quantile(rate / BAND));
        ProductCalibration c = new ProductCalibration(threshold, scale);
        ReviewBand band =
                new ReviewBand(Math.min(0.5, c.calibrated(low)), Math.max(0.5, Math.min(0.99, c.calibrated(high))));
        int n = s.normals().length;
        int rejected =
                (int) Arrays.stream(s.normals()).filter(d -> d >= threshold).count();
        double failed = tail.rate(threshold + scale * Math.log(band.high() / (1 - band.high())));
        double passed = band.low() <= 0 ? 0.5 : tail.rate(low);
        double missed = Arrays.stream(s.anomalous())
                .filter(d -> c.calibrated(d) < band.low())
                .count();
        return new ProductCalibration(
                threshold,
                scale,
                band,
                new ThresholdBasis(
                        method.inCheckpoint(),
                        rule.falseReject(),
                        n,
                        s.anomalous().length,
                        rate,
                        Distributions.upperBound(rejected, n, CONFIDENCE),
                        failed,
                        Math.max(0, passed - failed),
                        s.anomalous().length == 0 ? null : missed / s.anomalous().length),
                distribution(s.normals(), tail));
    }

    /** The upper half by the tail that thresholds rest on, the lower by the scores themselves. */
    private static ScoreQuantiles distribution(double[] normals, Tail tail) {
        Tail below = Tail.empirical(normals);
        return ScoreQuantiles.of(rate -> rate > 0.5 ? below.quantile(rate) : tail.quantile(rate));
    }

    private static double lowered(double[] normals, double[] anomalous, double bound, double wanted) {
        double best = bestF1(normals, anomalous, bound);
        double share = anomalous.length / (anomalous.length + HALF_WAY);
        double threshold = bound + share * (best - bound);
        // Scores equal to the threshold are rejected, so just above the first normal that has to pass.
        double[] sorted = normals.clone();
        Arrays.sort(sorted);
        double floor =
                Math.nextUp(sorted[sorted.length - 1 - (int) (Math.max(MAX_FALSE_ALARMS, wanted) * sorted.length)]);
        return Math.min(bound, Math.max(threshold, floor));
    }

    /**
     * The threshold at or below {@code highest}, nearest to it, that separates best; a score at the threshold counts as
     * rejected.
     */
    private static double bestF1(double[] normals, double[] anomalous, double highest) {
        double[] a = anomalous.clone();
        Arrays.sort(a);
        double at = highest;
        double best = f1(normals, a, highest);
        for (int i = a.length - 1; i >= 0; i--) {
            // Going down, only reaching one more anomalous score can be better.
            if (a[i] >= highest) continue;
            double f = f1(normals, a, a[i]);
            if (f > best + 1e-12) {
                best = f;
                at = a[i];
            }
        }
        return at;
    }

    private static double f1(double[] normals, double[] anomalous, double threshold) {
        long tp = Arrays.stream(anomalous).filter(d -> d >= threshold).count();
        long fp = Arrays.stream(normals).filter(d -> d >= threshold).count();
        return tp == 0 ? 0 : 2.0 * tp / (tp + fp + anomalous.length);
    }
}

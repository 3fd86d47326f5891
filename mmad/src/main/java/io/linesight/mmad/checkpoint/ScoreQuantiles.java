package io.linesight.mmad.checkpoint;

import java.util.List;
import java.util.function.DoubleUnaryOperator;

/**
 * How the raw scores of a product's normal images are distributed, as the calibration has it: the score that a share of
 * them reaches. What a threshold found for one model is worth with another follows from it.
 *
 * @param rates shares of normal images at or above a score, falling, within 0..1 without its ends; at least two
 * @param scores the scores, as many, finite, never falling
 */
public record ScoreQuantiles(List<Double> rates, List<Double> scores) {
    /** Where distributions are noted. */
    private static final List<Double> USUAL_RATES =
            List.of(0.99, 0.95, 0.9, 0.75, 0.5, 0.25, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 1e-4, 1e-5);

    public ScoreQuantiles {
        rates = List.copyOf(rates);
        scores = List.copyOf(scores);
        if (rates.size() < 2 || rates.size() != scores.size())
            throw new IllegalArgumentException("a distribution needs at least two rates and as many scores, got "
                    + rates.size() + " and " + scores.size());
        for (int i = 0; i < rates.size(); i++) {
            double rate = rates.get(i);
            if (!(rate > 0 && rate < 1)) throw new IllegalArgumentException("a rate lies within 0..1, got " + rate);
            if (!Double.isFinite(scores.get(i))) throw new IllegalArgumentException("a score is " + scores.get(i));
            if (i > 0 && (rates.get(i - 1) <= rate || scores.get(i - 1) > scores.get(i)))
                throw new IllegalArgumentException("rates fall and scores do not; they do otherwise at " + rate);
        }
    }

    /**
     * @param quantile the score that a share of the normals reaches; where it falls, its highest value so far counts
     */
    public static ScoreQuantiles of(DoubleUnaryOperator quantile) {
        double[] highest = {Double.NEGATIVE_INFINITY};
        List<Double> scores = USUAL_RATES.stream()
                .map(rate -> highest[0] = Math.max(highest[0], quantile.applyAsDouble(rate)))
                .toList();
        return new ScoreQuantiles(USUAL_RATES, scores);
    }

    /**
     * The score that a share of the normals reaches. Between the rates it goes with their logit, and beyond the last of
     * them on in the same direction, as an exponential tail does.
     *
     * @param rate within 0..1, without its ends
     */
    public double scoreAt(double rate) {
        if (!(rate > 0 && rate < 1)) throw new IllegalArgumentException("a rate lies within 0..1, got " + rate);
        if (rate >= rates.get(0)) return scores.get(0);
        int i = 1;
        while (i < rates.size() - 1 && rate < rates.get(i)) i++;
        double from = logit(rates.get(i - 1));
        double share = (logit(rate) - from) / (logit(rates.get(i)) - from);
        return scores.get(i - 1) + share * (scores.get(i) - scores.get(i - 1));
    }

    /**
     * Share of normals that reach a score; the inverse of {@link #scoreAt}. Not below 1e-9: nobody has seen so many.
     */
    public double rateAt(double score) {
        if (score <= scores.get(0)) return rates.get(0);
        double low = 1e-9;
        double high = rates.get(0);
        if (scoreAt(low) <= score) return low;
        for (int i = 0; i < 60; i++) {
            double middle = Math.sqrt(low * high);
            if (scoreAt(middle) >= score) low = middle;
            else high = middle;
        }
        return low;
    }

    private static double logit(double rate) {
        return Math.log(rate / (1 - rate));
    }
}

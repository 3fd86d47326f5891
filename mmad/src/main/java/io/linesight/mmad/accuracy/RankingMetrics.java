package io.linesight.mmad.accuracy;

import java.util.Arrays;

/**
 * Exact ranking metrics of scores against 0/1 labels, with tied scores grouped, equal to scikit-learn's. All values are
 * fractions 0..1, NaN where undefined (a class is missing). Stateless; any thread; memory 8 bytes a score.
 */
public final class RankingMetrics {
    private RankingMetrics() {}

    /**
     * Area under the ROC curve: the probability that an anomalous score exceeds a normal one, ties counting one half.
     */
    public static double auroc(float[] scores, byte[] labels) {
        double[] area = {0};
        long[] totals = walk(
                scores,
                labels,
                (tp, fp, tpBefore, fpBefore) -> area[0] += (double) (fp - fpBefore) * (tp + tpBefore) / 2);
        return totals[0] == 0 || totals[1] == 0 ? Double.NaN : area[0] / ((double) totals[0] * totals[1]);
    }

    /** Average precision: sum over distinct thresholds of (recall step) times precision. */
    public static double averagePrecision(float[] scores, byte[] labels) {
        double[] sum = {0};
        long[] totals = walk(
                scores, labels, (tp, fp, tpBefore, fpBefore) -> sum[0] += (double) (tp - tpBefore) * tp / (tp + fp));
        return totals[0] == 0 ? Double.NaN : sum[0] / totals[0];
    }

    /** The highest F1 over all distinct thresholds. */
    public static double f1Max(float[] scores, byte[] labels) {
        long positives = 0;
        for (byte label : labels) positives += label != 0 ? 1 : 0;
        long p = positives;
        double[] best = {0};
        walk(scores, labels, (tp, fp, tpBefore, fpBefore) -> best[0] = Math.max(best[0], 2.0 * tp / (tp + fp + p)));
        return positives == 0 ? Double.NaN : best[0];
    }

    /** The ROC curve whose area is {@link #auroc}, from (0,0); null where that is undefined. */
    static Curve roc(float[] scores, byte[] labels) {
        Curve.Builder b = new Curve.Builder().to(0, 0);
        long[] totals = walk(scores, labels, (tp, fp, tpBefore, fpBefore) -> b.to(fp, tp));
        return totals[0] == 0 || totals[1] == 0 ? null : b.build(1.0 / totals[1], 1.0 / totals[0]);
    }

    /**
     * Precision over recall in steps, as average precision counts it: up to a recall the precision is that of the
     * threshold which reaches it. Null where undefined.
     */
    static Curve precisionRecall(float[] scores, byte[] labels) {
        Curve.Builder b = new Curve.Builder();
        long[] totals = walk(scores, labels, (tp, fp, tpBefore, fpBefore) -> {
            double precision = (double) tp / (tp + fp);
            b.to(tpBefore, precision).to(tp, precision);
        });
        return totals[0] == 0 || totals[1] == 0 ? null : b.build(1.0 / totals[0], 1);
    }

    private interface Step {
        void at(long truePositives, long falsePositives, long truePositivesBefore, long falsePositivesBefore);
    }

    /** Visits the distinct scores from the highest; returns the number of positives and of negatives. */
    private static long[] walk(float[] scores, byte[] labels, Step step) {
        if (scores.length != labels.length)
            throw new IllegalArgumentException(scores.length + " scores but " + labels.length + " labels");
        long[] keys = new long[scores.length];
        for (int i = 0; i < keys.length; i++) {
            if (Float.isNaN(scores[i]))
                throw new IllegalArgumentException("score " + i + " is NaN: it cannot be ranked");
            // Adding zero makes -0 equal to 0. Floats order as their bits do once negative ones are mirrored.
            int bits = Float.floatToIntBits(scores[i] + 0f);
            int ordered = bits < 0 ? bits ^ Integer.MAX_VALUE : bits;
            keys[i] = (long) ordered << 1 | (labels[i] != 0 ? 1 : 0);
        }
        Arrays.sort(keys);
        long tp = 0;
        long fp = 0;
        for (int i = keys.length - 1; i >= 0; ) {
            long tpBefore = tp;
            long fpBefore = fp;
            long score = keys[i] >> 1;
            for (; i >= 0 && keys[i] >> 1 == score; i--) {
                if ((keys[i] & 1) != 0) tp++;
                else fp++;
            }
            step.at(tp, fp, tpBefore, fpBefore);
        }
        return new long[] {tp, fp};
    }
}

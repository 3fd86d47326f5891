package io.linesight.mmad.accuracy;

/**
 * Pixel counts at the 21 thresholds 0, 0.05, .., 1 of the scores normalised to 0..1 over the class, "positive" being
 * strictly above.
 */
final class ThresholdCounts {
    private static final int THRESHOLDS = 21;
    /** The reference's guard against division by zero; part of the value it reports. */
    private static final double EPS = 1e-8;

    private final float low;
    private final float range;
    /** Pixels that exceed exactly the first i thresholds. */
    private final long[] positive = new long[THRESHOLDS + 1];

    private final long[] negative = new long[THRESHOLDS + 1];
    private final float[] thresholds = new float[THRESHOLDS];

    ThresholdCounts(float low, float high) {
        this.low = low;
        this.range = high - low;
        for (int i = 0; i < THRESHOLDS; i++) thresholds[i] = (float) (i * 0.05);
    }

    /** Adds one image. @param mask 0/1 of the map's size, or null when nothing is marked */
    void add(float[] map, byte[] mask) {
        for (int i = 0; i < map.length; i++) {
            // Constant scores have nothing above anything: the reference divides 0 by 0 there.
            float v = range > 0 ? (map[i] - low) / range : 0;
            int exceeded = Math.min(THRESHOLDS - 1, (int) (v * 20));
            while (exceeded < THRESHOLDS && v > thresholds[exceeded]) exceeded++;
            while (exceeded > 0 && !(v > thresholds[exceeded - 1])) exceeded--;
            if (mask != null && mask[i] != 0) positive[exceeded]++;
            else negative[exceeded]++;
        }
    }

    double f1Max() {
        long truth = 0;
        for (long p : positive) truth += p;
        if (truth == 0) return Double.NaN;
        double best = 0;
        long tp = 0;
        long predicted = 0;
        for (int i = THRESHOLDS - 1; i >= 0; i--) {
            tp += positive[i + 1];
            predicted += positive[i + 1] + negative[i + 1];
            double precision = tp / (predicted + EPS);
            double recall = tp / (truth + EPS);
            best = Math.max(best, 2 * precision * recall / (precision + recall + EPS));
        }
        return best;
    }
}

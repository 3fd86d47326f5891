package io.linesight.mmad.accuracy;

/**
 * ROC, precision-recall and region-overlap curves at equally spaced thresholds from the lowest to the highest score,
 * "positive" being a score at or above the threshold: what the reference's configuration reports (package adeval, 50
 * strips).
 */
final class BinnedCurves {
    /** False-positive rate up to which the region overlap is integrated. */
    static final double FPR_LIMIT = 0.3;

    private final int strips;
    private final double low;
    private final double scale;
    private final float high;
    private final boolean flat;
    /** adeval's torch variant counts scores equal to the maximum in the last strip and again at the last threshold. */
    private final boolean maximumTwice;

    private final long[] positive;
    private final long[] negative;
    private final double[] overlap;
    private long regions;

    BinnedCurves(int strips, float low, float high, boolean maximumTwice) {
        this.strips = strips;
        this.low = low;
        this.high = high;
        this.flat = !(high > low);
        this.scale = flat ? 0 : strips / ((double) high - low);
        this.maximumTwice = maximumTwice;
        this.positive = new long[strips + 1];
        this.negative = new long[strips + 1];
        this.overlap = new double[strips + 1];
    }

    /** Adds one image. @param mask 0/1 of the map's size, or null when nothing is marked */
    void add(float[] map, byte[] mask, int width, int height) {
        if (mask == null) {
            for (float v : map) negative[bin(v)]++;
            if (maximumTwice && !flat) {
                for (float v : map) {
                    if (v == high) negative[strips]++;
                }
            }
            return;
        }
        MaskRegions found = MaskRegions.of(mask, width, height);
        regions += found.count;
        for (int i = 0; i < map.length; i++) {
            count(map[i], found, i, bin(map[i]));
            if (maximumTwice && !flat && map[i] == high) count(map[i], found, i, strips);
        }
    }

    private void count(float v, MaskRegions found, int i, int bin) {
        int region = found.label[i];
        if (region == 0) {
            negative[bin]++;
        } else {
            positive[bin]++;
            overlap[bin] += 1.0 / found.area[region];
        }
    }

    private int bin(float v) {
        if (v == high && !flat) return maximumTwice ? strips - 1 : strips;
        int b = (int) ((v - low) * scale);
        return Math.min(b, strips - 1);
    }

    double auroc() {
        long tp = 0;
        long fp = 0;
        double area = 0;
        for (int i = strips; i >= 0; i--) {
            area += negative[i] * (tp + positive[i] / 2.0);
            tp += positive[i];
            fp += negative[i];
        }
        return tp == 0 || fp == 0 ? Double.NaN : area / ((double) tp * fp);
    }

    /**
     * Trapezoid of precision over recall, precision being 1 where nothing is predicted. The curve begins at the highest
     * threshold, not at recall 0: what is found there adds no area, as in adeval.
     */
    double averagePrecision() {
        long total = 0;
        for (long p : positive) total += p;
        if (total == 0) return Double.NaN;
        long tp = 0;
        long fp = 0;
        double area = 0;
        double precisionBefore = 1;
        for (int i = strips; i >= 0; i--) {
            tp += positive[i];
            fp += negative[i];
            double precision = tp + fp == 0 ? 1 : (double) tp / (tp + fp);
            if (i < strips) area += positive[i] * (precision + precisionBefore) / 2;
            precisionBefore = precision;
        }
        return area / total;
    }

    /** Area under mean region overlap against false-positive rate, up to a rate of 0.3, divided by 0.3. */
    double aupro() {
        long totalNegative = 0;
        double totalOverlap = 0;
        for (int i = 0; i <= strips; i++) {
            totalNegative += negative[i];
            totalOverlap += overlap[i];
        }
        if (regions == 0 || totalNegative == 0) return Double.NaN;
        Area area = new Area();
        long fp = 0;
        double pro = 0;
        for (int i = strips; i >= 0; i--) {
            fp += negative[i];
            pro += overlap[i];
            area.to((double) fp / totalNegative, pro / totalOverlap);
        }
        return area.normalised();
    }

    /** The curve whose area is {@link #auroc}; null where that is undefined. */
    Curve roc() {
        Curve.Builder b = new Curve.Builder().to(0, 0);
        long tp = 0;
        long fp = 0;
        for (int i = strips; i >= 0; i--) {
            tp += positive[i];
            fp += negative[i];
            b.to(fp, tp);
        }
        return tp == 0 || fp == 0 ? null : b.build(1.0 / fp, 1.0 / tp);
    }

    /**
     * The curve whose area is {@link #averagePrecision}, from the highest threshold on; null where that is undefined.
     */
    Curve precisionRecall() {
        Curve.Builder b = new Curve.Builder();
        long tp = 0;
        long fp = 0;
        for (int i = strips; i >= 0; i--) {
            tp += positive[i];
            fp += negative[i];
            b.to(tp, tp + fp == 0 ? 1 : (double) tp / (tp + fp));
        }
        return tp == 0 ? null : b.build(1.0 / tp, 1);
    }

    /** The curve whose area over {@value #FPR_LIMIT} is {@link #aupro}, cut there; null where that is undefined. */
    Curve regionOverlap() {
        long totalNegative = 0;
        double totalOverlap = 0;
        for (int i = 0; i <= strips; i++) {
            totalNegative += negative[i];
            totalOverlap += overlap[i];
        }
        if (regions == 0 || totalNegative == 0) return null;
        Curve.Builder b = new Curve.Builder().to(0, 0);
        long fp = 0;
        double pro = 0;
        double xBefore = 0;
        double yBefore = 0;
        for (int i = strips; i >= 0 && xBefore < FPR_LIMIT; i--) {
            fp += negative[i];
            pro += overlap[i];
            double x = (double) fp / totalNegative;
            double y = pro / totalOverlap;
            if (x > FPR_LIMIT) {
                y = yBefore + (y - yBefore) * (FPR_LIMIT - xBefore) / (x - xBefore);
                x = FPR_LIMIT;
            }
            b.to(x, y);
            xBefore = x;
            yBefore = y;
        }
        return b.build(1, 1);
    }

    /** Integrates a curve from (0,0) by trapezoids up to the limit, cut linearly inside the step that crosses it. */
    static final class Area {
        private double x;
        private double y;
        private double sum;

        void to(double nextX, double nextY) {
            if (x < FPR_LIMIT && nextX > x) {
                double endX = Math.min(nextX, FPR_LIMIT);
                double endY = y + (nextY - y) * (endX - x) / (nextX - x);
                sum += (endX - x) * (y + endY) / 2;
            }
            x = nextX;
            y = nextY;
        }

        double normalised() {
            return sum / FPR_LIMIT;
        }
    }
}

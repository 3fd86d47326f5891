package io.linesight.mmad.accuracy;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Gathers the results of one category's test images and computes the reference's seven metrics. One thread. Holds at
 * most 64 maps in memory, further ones in a temporary file; close it to be rid of them.
 *
 * <p>As in the reference, an image whose mask is empty at the map's resolution counts as normal, whatever its label
 * says.
 */
public final class AnomalyMetrics implements AutoCloseable {
    /** Strips between the lowest and the highest pixel score, as the reference's configuration has it. */
    private static final int STRIPS = 50;

    private final int size;
    private final MapSpool spool;
    private float[] scores = new float[64];
    private byte[] labels = new byte[64];
    private int count;
    private boolean unmarked;
    private boolean leavesUnmarkedOut;
    private int spooled;
    private float low = Float.POSITIVE_INFINITY;
    private float high = Float.NEGATIVE_INFINITY;

    /** @param size side of the maps and masks in pixels (256) */
    public AnomalyMetrics(int size) {
        if (size < 1) throw new IllegalArgumentException("map size must be positive, got " + size);
        this.size = size;
        this.spool = new MapSpool(size * size);
    }

    /** For maps of 256x256. */
    public AnomalyMetrics() {
        this(256);
    }

    /**
     * Pixel metrics over the images that have a mask, the normal ones included: defective ones without are left out of
     * them and count for the image metrics only.
     */
    public static AnomalyMetrics leavingUnmarkedOut() {
        return leavingUnmarkedOut(256);
    }

    /**
     * The same for maps of another size.
     *
     * @param size side of the maps and masks in pixels
     */
    public static AnomalyMetrics leavingUnmarkedOut(int size) {
        AnomalyMetrics metrics = new AnomalyMetrics(size);
        metrics.leavesUnmarkedOut = true;
        return metrics;
    }

    /**
     * Adds one test image.
     *
     * @param score image score, higher is more anomalous
     * @param anomalous ground truth
     * @param map anomaly map, row-major, size*size, copied; null only where pixel metrics are not wanted, for all
     *     images alike
     * @param mask 0/1 of the map's size, copied; null when there is none. One anomalous image without a mask leaves the
     *     category without pixel metrics, unless it is {@linkplain #leavingUnmarkedOut left out} of them
     * @throws IllegalArgumentException for a NaN score, a map value that is not finite, or a wrong size: nothing is
     *     added
     */
    public void add(double score, boolean anomalous, float[] map, byte[] mask) {
        if (Double.isNaN(score))
            throw new IllegalArgumentException("image " + count + " has score NaN: it cannot be ranked");
        if (map != null && map.length != size * size)
            throw new IllegalArgumentException(
                    "a map of side " + size + " has " + size * size + " values, got " + map.length);
        if (mask != null && mask.length != size * size)
            throw new IllegalArgumentException(
                    "a mask of side " + size + " has " + size * size + " values, got " + mask.length);
        boolean marked = mask != null && any(mask);
        boolean leftOut = leavesUnmarkedOut && anomalous && mask == null;
        if (map != null && !leftOut) {
            float from = low;
            float to = high;
            for (float v : map) {
                if (!Float.isFinite(v)) throw new IllegalArgumentException("the map of image " + count + " holds " + v);
                if (v < from) from = v;
                if (v > to) to = v;
            }
            low = from;
            high = to;
        }
        if (map == null || (anomalous && mask == null && !leftOut)) unmarked = true;
        if (!unmarked && !leftOut) {
            spool.add(map, anomalous && marked ? mask : null);
            if (anomalous && marked) spooled++;
        }
        if (count == scores.length) {
            scores = Arrays.copyOf(scores, 2 * count);
            labels = Arrays.copyOf(labels, 2 * count);
        }
        scores[count] = (float) score;
        labels[count++] = (byte) (anomalous && (mask == null || marked) ? 1 : 0);
    }

    /** Image AUROC of any scores: the exact, tie-aware area under the ROC curve; NaN when a class is missing. */
    public static double auroc(float[] scores, boolean[] anomalous) {
        byte[] labels = new byte[anomalous.length];
        for (int i = 0; i < labels.length; i++) labels[i] = (byte) (anomalous[i] ? 1 : 0);
        return RankingMetrics.auroc(scores, labels);
    }

    /** The metrics of what was added so far. */
    public CategoryMetrics compute() {
        return measure().metrics();
    }

    /** The metrics of what was added so far and the curves they are areas of. */
    public Measured measure() {
        float[] s = Arrays.copyOf(scores, count);
        byte[] l = Arrays.copyOf(labels, count);
        int anomalous = 0;
        for (byte b : l) anomalous += b;
        int normal = count - anomalous;
        ImageMetrics images = anomalous > 0 && normal > 0 ? ImageMetrics.of(s, l) : ImageMetrics.NONE;
        if (unmarked || anomalous == 0 || leavesUnmarkedOut && spooled == 0) {
            return new Measured(
                    new CategoryMetrics(
                            images.auroc, images.ap, images.f1Max, null, null, null, null, null, normal, anomalous),
                    new CategoryCurves(images.roc, images.precisionRecall, null, null, null));
        }
        return withPixels(images, normal, anomalous);
    }

    /** Metrics of the image scores; all null when one class is missing. */
    private record ImageMetrics(
            @Nullable Double auroc,
            @Nullable Double ap,
            @Nullable Double f1Max,
            @Nullable Curve roc,
            @Nullable Curve precisionRecall) {
        static final ImageMetrics NONE = new ImageMetrics(null, null, null, null, null);

        static ImageMetrics of(float[] scores, byte[] labels) {
            return new ImageMetrics(
                    RankingMetrics.auroc(scores, labels),
                    RankingMetrics.averagePrecision(scores, labels),
                    RankingMetrics.f1Max(scores, labels),
                    RankingMetrics.roc(scores, labels),
                    RankingMetrics.precisionRecall(scores, labels));
        }
    }

    private Measured withPixels(ImageMetrics images, int normal, int anomalous) {
        BinnedCurves curves = new BinnedCurves(STRIPS, low, high, true);
        ThresholdCounts counts = new ThresholdCounts(low, high);
        spool.forEach((map, mask) -> {
            curves.add(map, mask, size, size);
            counts.add(map, mask);
        });
        Double pixelAuroc = defined(curves.auroc());
        Double pixelAp = defined(curves.averagePrecision());
        Double pixelF1max = defined(counts.f1Max());
        Double aupro = defined(curves.aupro());
        Double mad = mean(images.auroc, images.ap, images.f1Max, pixelAuroc, pixelAp, pixelF1max, aupro);
        return new Measured(
                new CategoryMetrics(
                        images.auroc,
                        images.ap,
                        images.f1Max,
                        pixelAuroc,
                        pixelAp,
                        pixelF1max,
                        aupro,
                        mad,
                        normal,
                        anomalous),
                new CategoryCurves(
                        images.roc,
                        images.precisionRecall,
                        curves.roc(),
                        curves.precisionRecall(),
                        curves.regionOverlap()));
    }

    /** Metrics and curves of one category, from the same counts. */
    public record Measured(CategoryMetrics metrics, CategoryCurves curves) {}

    @Override
    public void close() {
        spool.close();
    }

    /** Whether a mask at the map's resolution is empty, so that its image counts as normal. */
    public static boolean marksNothing(byte[] mask) {
        return !any(mask);
    }

    private static boolean any(byte[] mask) {
        for (byte b : mask) {
            if (b != 0) return true;
        }
        return false;
    }

    private static Double defined(double v) {
        return Double.isNaN(v) ? null : v;
    }

    private static Double mean(Double... values) {
        double sum = 0;
        for (Double v : values) {
            if (v == null) return null;
            sum += v;
        }
        return sum / values.length;
    }
}

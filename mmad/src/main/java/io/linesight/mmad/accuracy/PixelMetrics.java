package io.linesight.mmad.accuracy;

import java.util.Arrays;
import java.util.List;

/**
 * Pixel-level metrics of a class in the variants found in the literature, for comparing with published figures. What
 * the project reports is {@link AnomalyMetrics}. All values are fractions 0..1, NaN where undefined. Stateless; any
 * thread.
 *
 * <p>Maps and masks are row-major, {@code width*height} each; a mask is 0/1, or null for an image without a defect.
 */
final class PixelMetrics {
    private PixelMetrics() {}

    /** AUROC, AP and AUPRO of one binning. */
    record Binned(double auroc, double averagePrecision, double aupro) {}

    /**
     * As package adeval computes them on equally spaced thresholds.
     *
     * @param strips number of strips between the class's lowest and highest score (the reference's configuration: 50)
     * @param maximumTwice true for adeval's torch variant, which the reference uses and which counts scores equal to
     *     the maximum twice; false for its NumPy variant
     */
    public static Binned binned(
            List<float[]> maps, List<byte[]> masks, int width, int height, int strips, boolean maximumTwice) {
        check(maps, masks, width, height);
        float[] range = range(maps);
        BinnedCurves curves = new BinnedCurves(strips, range[0], range[1], maximumTwice);
        for (int i = 0; i < maps.size(); i++) curves.add(maps.get(i), masks.get(i), width, height);
        return new Binned(curves.auroc(), curves.averagePrecision(), curves.aupro());
    }

    /** F1max as the reference computes it: 21 thresholds on normalised scores. */
    public static double f1Max(List<float[]> maps, List<byte[]> masks) {
        float[] range = range(maps);
        ThresholdCounts counts = new ThresholdCounts(range[0], range[1]);
        for (int i = 0; i < maps.size(); i++) counts.add(maps.get(i), masks.get(i));
        return counts.f1Max();
    }

    /** AUROC over all pixels, exact. Needs about 13 bytes a pixel. */
    public static double aurocExact(List<float[]> maps, List<byte[]> masks) {
        return RankingMetrics.auroc(concatenated(maps), concatenatedMasks(maps, masks));
    }

    /** AP over all pixels, exact. Needs about 13 bytes a pixel. */
    public static double averagePrecisionExact(List<float[]> maps, List<byte[]> masks) {
        return RankingMetrics.averagePrecision(concatenated(maps), concatenatedMasks(maps, masks));
    }

    /** The highest F1 over all distinct pixel scores, exact. Needs about 13 bytes a pixel. */
    public static double f1MaxExact(List<float[]> maps, List<byte[]> masks) {
        return RankingMetrics.f1Max(concatenated(maps), concatenatedMasks(maps, masks));
    }

    /** AUPRO over all distinct scores, cut and interpolated at a false-positive rate of 0.3, divided by 0.3. */
    public static double auproExact(List<float[]> maps, List<byte[]> masks, int width, int height) {
        check(maps, masks, width, height);
        Weighted pixels = Weighted.of(maps, masks, width, height);
        if (pixels.regions == 0 || pixels.negatives == 0) return Double.NaN;
        BinnedCurves.Area area = new BinnedCurves.Area();
        long fp = 0;
        double overlap = 0;
        for (int i = pixels.keys.length - 1; i >= 0; ) {
            long score = pixels.keys[i] >> 32;
            for (; i >= 0 && pixels.keys[i] >> 32 == score; i--) {
                int size = (int) pixels.keys[i];
                if (size == 0) fp++;
                else overlap += 1.0 / size;
            }
            area.to((double) fp / pixels.negatives, overlap / pixels.regions);
        }
        return area.normalised();
    }

    /**
     * AUPRO as the reference's exact path computes it: thresholds min, min+step, .. with step (max-min)/steps, strictly
     * above, unweighted mean region overlap, only points with a false-positive rate below 0.3, that rate stretched to
     * 0..1, trapezoids.
     *
     * @param steps the reference's {@code max_step}: 100
     */
    public static double auproStepped(List<float[]> maps, List<byte[]> masks, int width, int height, int steps) {
        check(maps, masks, width, height);
        float[] range = range(maps);
        Weighted pixels = Weighted.of(maps, masks, width, height);
        if (pixels.regions == 0 || pixels.negatives == 0 || !(range[1] > range[0])) return Double.NaN;
        double step = ((double) range[1] - range[0]) / steps;
        double[] fpr = new double[steps];
        double[] pro = new double[steps];
        int points = 0;
        int i = pixels.keys.length - 1;
        long fp = 0;
        double overlap = 0;
        double lowest = Double.POSITIVE_INFINITY;
        double highest = Double.NEGATIVE_INFINITY;
        for (int t = steps - 1; t >= 0; t--) {
            double threshold = range[0] + t * step;
            for (; i >= 0 && Weighted.score(pixels.keys[i]) > threshold; i--) {
                int size = (int) pixels.keys[i];
                if (size == 0) fp++;
                else overlap += 1.0 / size;
            }
            double rate = (double) fp / pixels.negatives;
            if (rate >= BinnedCurves.FPR_LIMIT) break;
            fpr[points] = rate;
            pro[points++] = overlap / pixels.regions;
            lowest = Math.min(lowest, rate);
            highest = Math.max(highest, rate);
        }
        if (!(highest > lowest)) return Double.NaN;
        double sum = 0;
        for (int p = 1; p < points; p++) sum += (fpr[p] - fpr[p - 1]) * (pro[p] + pro[p - 1]) / 2;
        return sum / (highest - lowest);
    }

    /** All pixels sorted by score, each with the area of its region (0 = background) in the lower half of its key. */
    private record Weighted(long[] keys, long negatives, long regions) {
        static Weighted of(List<float[]> maps, List<byte[]> masks, int width, int height) {
            long[] keys = new long[Math.multiplyExact(maps.size(), width * height)];
            long negatives = 0;
            long regions = 0;
            int k = 0;
            for (int m = 0; m < maps.size(); m++) {
                MaskRegions found = masks.get(m) == null ? null : MaskRegions.of(masks.get(m), width, height);
                if (found != null) regions += found.count;
                float[] map = maps.get(m);
                for (int i = 0; i < map.length; i++) {
                    int size = found == null || found.label[i] == 0 ? 0 : found.area[found.label[i]];
                    if (size == 0) negatives++;
                    int bits = Float.floatToIntBits(map[i] + 0f);
                    keys[k++] = (long) (bits < 0 ? bits ^ Integer.MAX_VALUE : bits) << 32 | size;
                }
            }
            Arrays.sort(keys);
            return new Weighted(keys, negatives, regions);
        }

        static float score(long key) {
            int ordered = (int) (key >> 32);
            return Float.intBitsToFloat(ordered < 0 ? ordered ^ Integer.MAX_VALUE : ordered);
        }
    }

    private static void check(List<float[]> maps, List<byte[]> masks, int width, int height) {
        if (maps.size() != masks.size())
            throw new IllegalArgumentException(maps.size() + " maps but " + masks.size() + " masks");
        for (int i = 0; i < maps.size(); i++) {
            if (maps.get(i).length != width * height)
                throw new IllegalArgumentException(
                        "map " + i + " has " + maps.get(i).length + " values, not " + width + "x" + height);
            if (masks.get(i) != null && masks.get(i).length != width * height)
                throw new IllegalArgumentException(
                        "mask " + i + " has " + masks.get(i).length + " values, not " + width + "x" + height);
        }
    }

    private static float[] range(List<float[]> maps) {
        float low = Float.POSITIVE_INFINITY;
        float high = Float.NEGATIVE_INFINITY;
        for (float[] map : maps) {
            for (float v : map) {
                if (!Float.isFinite(v)) throw new IllegalArgumentException("a map holds " + v);
                low = Math.min(low, v);
                high = Math.max(high, v);
            }
        }
        return new float[] {low, high};
    }

    private static float[] concatenated(List<float[]> maps) {
        int n = 0;
        for (float[] map : maps) n = Math.addExact(n, map.length);
        float[] all = new float[n];
        int at = 0;
        for (float[] map : maps) {
            System.arraycopy(map, 0, all, at, map.length);
            at += map.length;
        }
        return all;
    }

    private static byte[] concatenatedMasks(List<float[]> maps, List<byte[]> masks) {
        int n = 0;
        for (float[] map : maps) n = Math.addExact(n, map.length);
        byte[] all = new byte[n];
        int at = 0;
        for (int i = 0; i < maps.size(); i++) {
            if (masks.get(i) != null) System.arraycopy(masks.get(i), 0, all, at, masks.get(i).length);
            at += maps.get(i).length;
        }
        return all;
    }
}

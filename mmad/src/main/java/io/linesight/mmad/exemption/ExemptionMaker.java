package io.linesight.mmad.exemption;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Makes an exemption from a false alarm: the hottest cells of the frame and their neighbours, each with the distance
 * within which another frame looks the same: as far as good parts differ there, or a share of the way from them to the
 * false alarm. Stateless, thread-safe.
 */
public final class ExemptionMaker {
    /** Good frames that the radii are measured on, at least. */
    public static final int MIN_GOOD = 3;
    /** More of them add little. */
    public static final int MAX_GOOD = 8;

    private static final int SIDE = 256;
    /** Of the cells of a stride, the hottest ones; their neighbours come with them. */
    private static final double SHARE = 0.05;
    /** Of the distances between good frames: what nine in ten stay below. */
    private static final double QUANTILE = 0.9;
    /**
     * Of the way from good frames to the false alarm: what is nearer to it than this is more like it than like them. A
     * defect of another kind starts from the good frames too, and stays as far away from the false alarm.
     */
    private static final double STRANGE = 0.3;
    /** Times as far as good frames are from each other: from there on a cell is unlike them. */
    private static final double UNLIKE = 2;
    /** Features of two shots of a still part differ by noise alone; below this nothing would ever be covered. */
    private static final double MIN_RADIUS = 0.005;

    private ExemptionMaker() {}

    /**
     * Makes an exemption.
     *
     * @param id as {@link FalseAlarm#id}
     * @param raw image score of the frame
     * @param threshold raw score from which on it would be anomalous
     * @param map of the frame, row-major, 256x256, finite
     * @param features of the frame
     * @param good features of frames of the same product and camera that are good beyond doubt
     * @throws IllegalArgumentException with fewer than {@value #MIN_GOOD} good frames
     */
    public static FalseAlarm make(
            String id, float raw, double threshold, float[] map, FrameFeatures features, List<FrameFeatures> good) {
        if (good.size() < MIN_GOOD)
            throw new IllegalArgumentException(
                    "an exemption needs " + MIN_GOOD + " good frames to compare with, got " + good.size());
        List<FrameFeatures> compared = good.subList(0, Math.min(MAX_GOOD, good.size()));
        List<ExemptCell> cells = new ArrayList<>();
        for (int stride : FrameFeatures.STRIDES) {
            boolean[] hottest = hottest(map, (float) Math.min(raw, threshold), stride);
            boolean[] hot = dilated(hottest, SIDE / stride);
            FeatureGrid grid = features.grid(stride);
            double differ = difference(compared, stride, hot);
            double[] strange = strangeness(grid, compared, stride, hot);
            boolean[] core = stranger(hottest, strange, UNLIKE * differ);
            for (int i = 0; i < hot.length; i++) {
                int x = i % grid.side();
                int y = i / grid.side();
                if (!hot[i]) continue;
                double radius = Math.min(2, Math.max(differ, STRANGE * strange[i]));
                cells.add(new ExemptCell(stride, x, y, core[i], radius, grid.quantised(x, y)));
            }
        }
        return new FalseAlarm(id, cells);
    }

    /**
     * The hottest cells. Of a faint alarm only those that made it one: what else is warm is how this product looks, and
     * where defects are looked for.
     */
    private static boolean[] hottest(float[] map, float hotFrom, int stride) {
        int side = SIDE / stride;
        float[] peaks = new float[side * side];
        Arrays.fill(peaks, Float.NEGATIVE_INFINITY);
        for (int i = 0; i < map.length; i++) {
            int cell = i / SIDE / stride * side + i % SIDE / stride;
            peaks[cell] = Math.max(peaks[cell], map[i]);
        }
        float[] sorted = peaks.clone();
        Arrays.sort(sorted);
        float least = Math.max(hotFrom, sorted[sorted.length - (int) Math.ceil(SHARE * sorted.length)]);
        // A score that is no value of the map still has a hottest cell.
        least = Math.min(least, sorted[sorted.length - 1]);
        boolean[] out = new boolean[peaks.length];
        for (int i = 0; i < peaks.length; i++) out[i] = peaks[i] >= least;
        return out;
    }

    /** Each and the eight around it. */
    private static boolean[] dilated(boolean[] cells, int side) {
        boolean[] out = new boolean[cells.length];
        for (int i = 0; i < cells.length; i++) {
            if (!cells[i]) continue;
            for (int y = Math.max(0, i / side - 1); y <= Math.min(side - 1, i / side + 1); y++)
                for (int x = Math.max(0, i % side - 1); x <= Math.min(side - 1, i % side + 1); x++)
                    out[y * side + x] = true;
        }
        return out;
    }

    /** How far each of these cells is from the nearest good frame there. */
    private static double[] strangeness(FeatureGrid grid, List<FrameFeatures> good, int stride, boolean[] where) {
        double[] out = new double[where.length];
        for (int i = 0; i < where.length; i++) {
            if (!where[i]) continue;
            int x = i % grid.side();
            int y = i / grid.side();
            float[] feature = grid.feature(x, y);
            out[i] = Double.POSITIVE_INFINITY;
            for (FrameFeatures g : good)
                out[i] = Math.min(out[i], g.grid(stride).nearest(x, y, feature));
        }
        return out;
    }

    /**
     * Those of the hottest cells that look unlike good frames: the map is warm around them too, where there is nothing
     * to see. All of them when none is that strange.
     */
    private static boolean[] stranger(boolean[] hottest, double[] strange, double than) {
        boolean[] out = new boolean[hottest.length];
        boolean any = false;
        for (int i = 0; i < out.length; i++) {
            out[i] = hottest[i] && strange[i] > than;
            any |= out[i];
        }
        return any ? out : hottest;
    }

    /** How far good frames are from their nearest other good frame, at these cells. */
    private static double difference(List<FrameFeatures> good, int stride, boolean[] where) {
        List<Float> distances = new ArrayList<>();
        int side = SIDE / stride;
        for (FrameFeatures a : good) {
            for (int i = 0; i < where.length; i++) {
                if (!where[i]) continue;
                float[] feature = a.grid(stride).feature(i % side, i / side);
                float nearest = Float.POSITIVE_INFINITY;
                for (FrameFeatures b : good)
                    if (b != a) nearest = Math.min(nearest, b.grid(stride).nearest(i % side, i / side, feature));
                distances.add(nearest);
            }
        }
        distances.sort(null);
        double r = distances.get((int) (QUANTILE * (distances.size() - 1)));
        return Math.min(2, Math.max(MIN_RADIUS, r));
    }
}

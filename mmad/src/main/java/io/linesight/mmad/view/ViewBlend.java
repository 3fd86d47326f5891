package io.linesight.mmad.view;

import io.linesight.mmad.image.Preprocess;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Makes one map of a frame out of the maps of its views, and the image score of that map.
 *
 * <p>Tiles are averaged where they overlap, each with a weight that falls to nothing at its edges, so no seam shows. A
 * pixel is as anomalous as the whole or the tiles say, whichever is more: added, the noise of the whole hides what only
 * tiles show. Outside the region of interest the map is zero.
 *
 * <p>Immutable, thread-safe.
 */
public final class ViewBlend {
    private static final int SIDE = Preprocess.SIDE;
    /** What a tile still counts at its edge: at the frame's edge there is no other. */
    private static final double EDGE = 1e-3;

    private final ViewLayout layout;
    private final int side;
    private final int top;
    private final double @Nullable [][] levels;
    private final Taps[] across;
    private final Taps[] down;

    ViewBlend(ViewLayout layout, double topShare, double @Nullable [][] levels) {
        if (levels != null && levels.length != layout.views())
            throw new IllegalArgumentException(
                    levels.length + " levels do not fit a layout of " + layout.views() + " views");
        if (levels != null)
            for (double[] l : levels)
                if (l.length != 2 || !Double.isFinite(l[0]) || !(l[1] > 0 && l[1] < Double.POSITIVE_INFINITY))
                    throw new IllegalArgumentException("a view's level is a mean and a positive deviation");
        this.layout = layout;
        this.levels = levels;
        side = layout.mapSide();
        top = Math.max(1, (int) Math.round(topShare * layout.finestArea()));
        across = new Taps[layout.views()];
        down = new Taps[layout.views()];
        for (int v = 0; v < layout.views(); v++) {
            Box box = layout.view(v);
            across[v] = Taps.of(box.x(), box.width(), layout.width(), side);
            down[v] = Taps.of(box.y(), box.height(), layout.height(), side);
        }
    }

    double @Nullable [][] levels() {
        return levels;
    }

    /**
     * Where the map's pixels from {@code first} on lie in a view.
     *
     * @param at the view's pixel before them
     * @param part of the way to the next one
     * @param weight of the view there
     */
    private record Taps(int first, int[] at, float[] part, float[] weight) {
        /** @param from where the view begins in the frame, and how long it is, along one side */
        static Taps of(int from, int length, int frame, int side) {
            double pixel = (double) frame / side;
            int first = (int) Math.max(0, Math.ceil(from / pixel - 0.5));
            int end = (int) Math.min(side, Math.ceil((from + length) / pixel - 0.5));
            int n = Math.max(0, end - first);
            Taps taps = new Taps(first, new int[n], new float[n], new float[n]);
            for (int i = 0; i < n; i++) {
                double share = ((first + i + 0.5) * pixel - from) / length;
                double x = Math.min(SIDE - 1.0, Math.max(0, share * SIDE - 0.5));
                taps.at[i] = Math.min(SIDE - 2, (int) x);
                taps.part[i] = (float) (x - taps.at[i]);
                double wave = Math.sin(Math.PI * Math.min(1, Math.max(0, share)));
                taps.weight[i] = (float) (EDGE + wave * wave);
            }
            return taps;
        }
    }

    /** Begins a frame. */
    public Sum sum() {
        return new Sum();
    }

    /** A frame's views as they come. One thread. */
    public final class Sum {
        private Sum() {}

        private final float[] whole = new float[side * side];
        private final float[] tiles = layout.tiles().isEmpty() ? new float[0] : new float[side * side];
        private final float[] weights = new float[tiles.length];

        /** Adds a view's map, row-major, 256x256, from an offset on. Views may come in any order, each once. */
        public void add(int view, float[] maps, int offset) {
            Taps x = across[view];
            Taps y = down[view];
            float mean = levels == null ? 0 : (float) levels[view][0];
            float scale = levels == null ? 1 : (float) (1 / levels[view][1]);
            for (int r = 0; r < y.at.length; r++) {
                int row = offset + y.at[r] * SIDE;
                float v = y.part[r];
                int to = (y.first + r) * side + x.first;
                for (int c = 0; c < x.at.length; c++) {
                    int at = row + x.at[c];
                    float u = x.part[c];
                    float above = maps[at] + u * (maps[at + 1] - maps[at]);
                    float below = maps[at + SIDE] + u * (maps[at + SIDE + 1] - maps[at + SIDE]);
                    float value = (above + v * (below - above) - mean) * scale;
                    if (view == 0) {
                        whole[to + c] = value;
                    } else {
                        float weight = y.weight[r] * x.weight[c];
                        tiles[to + c] += weight * value;
                        weights[to + c] += weight;
                    }
                }
            }
        }

        /** The frame's map, of {@link ViewLayout#mapSide}; ends the sum. */
        public float[] map() {
            for (int i = 0; i < tiles.length; i++)
                if (weights[i] > 0) whole[i] = Math.max(whole[i], tiles[i] / weights[i]);
            if (layout.roi() != null) blankOutside(whole);
            return whole;
        }
    }

    private void blankOutside(float[] map) {
        boolean[] inside = new boolean[side];
        double perColumn = (double) layout.width() / side;
        double perRow = (double) layout.height() / side;
        for (int y = 0; y < side; y++) {
            layout.roi().row(inside, 0.5 * perColumn, perColumn, (y + 0.5) * perRow, 1, 1);
            for (int x = 0; x < side; x++) if (!inside[x]) map[y * side + x] = 0;
        }
    }

    /** The image score: the mean of the map's highest pixels; NaN where the map has one. */
    public float score(float[] map) {
        float[] heap = new float[top];
        Arrays.fill(heap, Float.NEGATIVE_INFINITY);
        for (float value : map) {
            if (Float.isNaN(value)) return Float.NaN;
            if (value > heap[0]) replaceLowest(heap, value);
        }
        double sum = 0;
        for (float value : heap) sum += value;
        return (float) (sum / top);
    }

    /** A heap whose first value is the lowest. */
    private static void replaceLowest(float[] heap, float value) {
        int at = 0;
        while (true) {
            int child = 2 * at + 1;
            if (child >= heap.length) break;
            if (child + 1 < heap.length && heap[child + 1] < heap[child]) child++;
            if (heap[child] >= value) break;
            heap[at] = heap[child];
            at = child;
        }
        heap[at] = value;
    }
}

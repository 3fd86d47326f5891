package io.linesight.mmad.exemption;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The exemptions of one product, ready to be applied to frames. Immutable, thread-safe.
 *
 * <p>A cell of the frame is covered by an exempt cell when their features point the same way at the same place, give or
 * take a cell. A neighbour of the cells that made the alarm is covered as far as one of those beside it is, too: by
 * itself it looks like any good part, and a defect there is none of the false alarm's. Fully up to the cell's radius,
 * less and less up to twice the radius. A pixel is covered as far as it is at both strides: a scratch through an exempt
 * glare is fine structure that stride 8 sees. Where a pixel is covered, the map goes down to the frame's own level, its
 * median; the image score follows. A map is never raised.
 *
 * <p>Idea: a false alarm goes into a memory of normal patches (PatchCore, Roth et al. 2022), of which only the hottest
 * cells of that one frame are added; here as a correction of the map, so that it holds for every method.
 */
public final class Exemptions {
    private static final int SIDE = 256;
    /** Share of the map's pixels that makes the score that the correction is measured by. */
    private static final double TOP_SHARE = 0.005;
    /** Coverage of the hottest pixel from which on an exemption counts as applied. */
    private static final float COUNTS = 0.5f;

    /** An exempt cell with what is needed to compare it. */
    private record Compared(int of, ExemptCell cell, float[] direction, float radius) {}

    private final List<FalseAlarm> exemptions;
    private final List<Compared> cells = new ArrayList<>();

    /** @param exemptions those of one product and of the encoder of the model that serves; any order */
    public Exemptions(List<FalseAlarm> exemptions) {
        this.exemptions = List.copyOf(exemptions);
        for (int i = 0; i < this.exemptions.size(); i++) {
            FalseAlarm e = this.exemptions.get(i);
            for (ExemptCell cell : e.cells()) cells.add(new Compared(i, cell, cell.direction(), (float) cell.radius()));
        }
    }

    /** How many there are. */
    public int size() {
        return exemptions.size();
    }

    /**
     * A frame's answer after exemptions.
     *
     * @param raw image score; at most what it was
     * @param map row-major, 256x256, nowhere above what it was
     * @param applied ids of the exemptions that covered hot pixels, in their order; empty when raw and map are as they
     *     were
     */
    public record Applied(float raw, float[] map, List<String> applied) {}

    /**
     * Applies the exemptions to a frame.
     *
     * @param raw its image score
     * @param map its anomaly map, row-major, 256x256; finite; not changed
     * @param features what the model's encoder saw of it
     */
    public Applied apply(float raw, float[] map, FrameFeatures features) {
        if (map.length != SIDE * SIDE)
            throw new IllegalArgumentException("a map has " + SIDE * SIDE + " values, got " + map.length);
        float[] sorted = map.clone();
        double before = top(sorted);
        float level = sorted[sorted.length / 2];
        float hot = sorted[sorted.length - count()];
        float[] coverage = coverage(features);
        float[] lowered = map.clone();
        boolean[] hotCells = new boolean[(SIDE / 16) * (SIDE / 16)];
        boolean any = false;
        for (int i = 0; i < map.length; i++) {
            if (coverage[i] <= 0 || map[i] <= level) continue;
            lowered[i] = level + (1 - coverage[i]) * (map[i] - level);
            if (map[i] >= hot && coverage[i] >= COUNTS) {
                hotCells[i / SIDE / 16 * 16 + i % SIDE / 16] = true;
                any = true;
            }
        }
        if (!any) return new Applied(raw, map, List.of());
        double after = top(lowered.clone());
        // The model's own score is near the map's top, but its formula is its own: the same share of the way down.
        double down = before > level ? (after - level) / (before - level) : 1;
        float corrected = raw <= level ? raw : (float) (level + (raw - level) * Math.min(1, Math.max(0, down)));
        return new Applied(corrected, lowered, covering(features, hotCells));
    }

    private static int count() {
        return (int) Math.round(TOP_SHARE * SIDE * SIDE);
    }

    /** Mean of the highest pixels; sorts its argument. */
    private static double top(float[] map) {
        Arrays.sort(map);
        double sum = 0;
        for (int i = map.length - count(); i < map.length; i++) sum += map[i];
        return sum / count();
    }

    /** 0 (not covered) to 1, for every pixel. */
    private float[] coverage(FrameFeatures features) {
        float[] all = new float[SIDE * SIDE];
        Arrays.fill(all, 1);
        for (int stride : FrameFeatures.STRIDES) {
            int side = SIDE / stride;
            float[] hot = new float[side * side];
            float[] any = new float[side * side];
            for (Compared c : cells) {
                if (c.cell.stride() != stride) continue;
                cover(features.grid(stride), c, any);
                if (c.cell.hot()) cover(features.grid(stride), c, hot);
            }
            float[] near = dilated(hot, side);
            for (int i = 0; i < any.length; i++) any[i] = Math.min(any[i], near[i]);
            spread(any, side, stride, all);
        }
        return all;
    }

    /** Covers what looks like an exempt cell, at its place and around it. */
    private static void cover(FeatureGrid grid, Compared c, float[] coverage) {
        if (grid.channels() != c.direction.length) return;
        int side = grid.side();
        int cx = c.cell.x();
        int cy = c.cell.y();
        for (int y = Math.max(0, cy - 1); y <= Math.min(side - 1, cy + 1); y++)
            for (int x = Math.max(0, cx - 1); x <= Math.min(side - 1, cx + 1); x++) {
                float share = share(grid.distance(x, y, c.direction), c.radius);
                coverage[y * side + x] = Math.max(coverage[y * side + x], share);
            }
    }

    /** The largest of each cell and the eight around it. */
    private static float[] dilated(float[] cells, int side) {
        float[] out = new float[cells.length];
        for (int i = 0; i < cells.length; i++)
            for (int y = Math.max(0, i / side - 1); y <= Math.min(side - 1, i / side + 1); y++)
                for (int x = Math.max(0, i % side - 1); x <= Math.min(side - 1, i % side + 1); x++)
                    out[i] = Math.max(out[i], cells[y * side + x]);
        return out;
    }

    private static float share(float distance, float radius) {
        return Math.min(1, Math.max(0, 2 - distance / radius));
    }

    /** Takes the minimum of the pixels' coverage and that of their cell. */
    private static void spread(float[] atStride, int side, int stride, float[] all) {
        for (int y = 0; y < SIDE; y++)
            for (int x = 0; x < SIDE; x++) {
                float c = atStride[y / stride * side + x / stride];
                if (c < all[y * SIDE + x]) all[y * SIDE + x] = c;
            }
    }

    private static boolean beside(boolean[] cells, int x, int y, int side) {
        for (int ny = Math.max(0, y - 1); ny <= Math.min(side - 1, y + 1); ny++)
            for (int nx = Math.max(0, x - 1); nx <= Math.min(side - 1, x + 1); nx++)
                if (cells[ny * side + nx]) return true;
        return false;
    }

    /** Who covers these cells of stride 16. */
    private List<String> covering(FrameFeatures features, boolean[] hotCells) {
        Set<Integer> found = new HashSet<>();
        FeatureGrid grid = features.grid(16);
        int side = grid.side();
        for (Compared c : cells) {
            if (c.cell.stride() != 16 || !c.cell.hot() || grid.channels() != c.direction.length) continue;
            for (int y = Math.max(0, c.cell.y() - 1); y <= Math.min(side - 1, c.cell.y() + 1); y++)
                for (int x = Math.max(0, c.cell.x() - 1); x <= Math.min(side - 1, c.cell.x() + 1); x++)
                    if (beside(hotCells, x, y, side) && share(grid.distance(x, y, c.direction), c.radius) >= COUNTS)
                        found.add(c.of);
        }
        return found.stream().sorted().map(i -> exemptions.get(i).id()).toList();
    }
}

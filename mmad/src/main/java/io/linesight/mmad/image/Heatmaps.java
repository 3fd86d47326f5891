package io.linesight.mmad.image;

import java.util.Arrays;
import java.util.Locale;

/** Images of anomaly maps. Stateless; any thread. */
public final class Heatmaps {
    private static final int MIN_TILE = 256;
    private static final int MAX_TILE = 512;
    /** For a map with more pixels: what it shows is too small for less. */
    private static final int MAX_ZOOMED_TILE = 1024;

    private static final int GAP = 6;
    private static final int CAPTION = 22;
    /** Where the overlay begins to show and where it is strongest; the threshold lies at 0.5. */
    private static final float VISIBLE_FROM = 0.3f;

    private static final float FULL_FROM = 0.6f;
    private static final float STRONGEST = 0.6f;
    /** Colour stops from cold to hot, red, green, blue. */
    private static final int[][] STOPS = {
        {24, 24, 96}, {32, 96, 224}, {32, 200, 216}, {248, 220, 56}, {232, 72, 32}, {136, 0, 24}
    };

    private static final byte[] COLOURS = colours();

    private Heatmaps() {}

    /**
     * The map as an 8-bit grey PNG of its own size: {@code low} and below is 0, {@code high} and above (and NaN) is
     * 255, linear between.
     *
     * @param map row-major, size*size
     */
    public static byte[] mapPng(float[] map, int size, float low, float high) {
        checkMap(map, size);
        byte[] gray = new byte[map.length];
        float scale = high > low ? 255f / (high - low) : 0;
        for (int i = 0; i < gray.length; i++) {
            float v = (map[i] - low) * scale;
            gray[i] = (byte) (Float.isNaN(v) || v >= 255 ? 255 : v <= 0 ? 0 : Math.round(v));
        }
        return ImageCodec.encodeGrayPng(gray, size, size);
    }

    /**
     * Lays the colour-mapped anomaly map over the frame: nothing well below the threshold, yellow around it, red above,
     * with a white line where the map crosses the threshold.
     *
     * @param map row-major, size*size, covering the whole frame; not finite values show as hottest
     * @param threshold in units of the map; NaN puts it midway between the map's extremes and draws no line
     * @return a new image of the frame's size
     */
    public static RgbImage overlay(RgbImage frame, float[] map, int size, double threshold) {
        checkMap(map, size);
        float[] level = levels(map, threshold);
        boolean line = Double.isFinite(threshold);
        int w = frame.width();
        int h = frame.height();
        byte[] out = frame.rgb().clone();
        float[] above = new float[w];
        float[] row = new float[w];
        int thickness = Math.max(1, Math.min(w, h) / 300);
        for (int y = 0; y < h; y++) {
            sampleRow(level, size, y, w, h, row);
            for (int x = 0; x < w; x++) {
                int at = 3 * (y * w + x);
                blend(out, at, row[x]);
                if (line && crosses(row, above, x, y)) {
                    for (int dy = 0; dy < thickness && y - dy >= 0; dy++) {
                        int p = at - 3 * dy * w;
                        out[p] = out[p + 1] = out[p + 2] = (byte) 255;
                    }
                }
            }
            float[] swap = above;
            above = row;
            row = swap;
        }
        return new RgbImage(w, h, out);
    }

    /** The map in 0..1, with the threshold at 0.5. */
    private static float[] levels(float[] map, double threshold) {
        float low = Float.POSITIVE_INFINITY;
        float high = Float.NEGATIVE_INFINITY;
        for (float v : map) {
            if (!Float.isFinite(v)) continue;
            low = Math.min(low, v);
            high = Math.max(high, v);
        }
        float centre = Double.isFinite(threshold) ? (float) threshold : (low + high) / 2;
        // Per image, so that a map that stays below the threshold never turns hot and one that exceeds it uses all
        // colours.
        float span = Math.max(centre - low, high - centre);
        if (!(span > 0)) span = 1;
        float[] level = new float[map.length];
        for (int i = 0; i < level.length; i++) {
            level[i] = Float.isFinite(map[i]) ? Math.min(1, Math.max(0, 0.5f + 0.5f * (map[i] - centre) / span)) : 1;
        }
        return level;
    }

    /** Lays a level's colour over one pixel, the stronger the higher the level. */
    private static void blend(byte[] rgb, int at, float level) {
        float alpha = STRONGEST * Math.min(1, Math.max(0, (level - VISIBLE_FROM) / (FULL_FROM - VISIBLE_FROM)));
        if (alpha <= 0) return;
        int colour = 3 * Math.round(level * 255);
        for (int c = 0; c < 3; c++) {
            int base = rgb[at + c] & 0xff;
            rgb[at + c] = (byte) Math.round(base + alpha * ((COLOURS[colour + c] & 0xff) - base));
        }
    }

    /**
     * Side by side, each with a caption: the frame, the ground truth if there is one, and the overlay with what
     * decides, the score against its threshold. The score need not be the map's highest value.
     *
     * @param mask 0/1 at the frame's or the map's size, or null
     * @param map row-major, size*size
     * @param score raw, in units of the map; NaN where the model gave none
     * @param threshold in units of the map, or NaN
     */
    public static RgbImage panel(RgbImage frame, byte[] mask, float[] map, int size, double score, double threshold) {
        checkMap(map, size);
        int side = Math.max(frame.width(), frame.height());
        double scale = (double) Math.max(MIN_TILE, Math.min(size > MAX_TILE ? MAX_ZOOMED_TILE : MAX_TILE, side)) / side;
        int w = Math.max(1, (int) Math.round(frame.width() * scale));
        int h = Math.max(1, (int) Math.round(frame.height() * scale));
        RgbImage small = resize(frame, w, h);
        RgbImage truth = mask == null ? null : truth(small, frame, mask, size);
        RgbImage heat = overlay(small, map, size, threshold);
        int tiles = truth == null ? 2 : 3;
        int width = tiles * w + (tiles - 1) * GAP;
        byte[] background = new byte[3 * width * (h + CAPTION)];
        Arrays.fill(background, (byte) 32);
        RgbImage panel = new RgbImage(width, h + CAPTION, background);
        int x = 0;
        tile(panel, small, x, "frame");
        x += w + GAP;
        if (truth != null) {
            tile(panel, truth, x, "ground truth");
            x += w + GAP;
        }
        tile(panel, heat, x, caption(score, threshold));
        return panel;
    }

    /** Short enough for the narrowest tile: 31 characters. */
    static String caption(double score, double threshold) {
        return Double.isFinite(threshold)
                ? String.format(Locale.ROOT, "score %.4f of %.4f", score, threshold)
                : String.format(Locale.ROOT, "score %.4f", score);
    }

    /** The image at most {@code maxSide} pixels a side, its proportions kept; itself when it is no larger. */
    public static RgbImage thumbnail(RgbImage frame, int maxSide) {
        double scale = (double) maxSide / Math.max(frame.width(), frame.height());
        if (scale >= 1) return frame;
        return resize(frame, Math.max(1, (int) Math.round(frame.width() * scale)), Math.max(1, (int)
                Math.round(frame.height() * scale)));
    }

    /**
     * The frame dimmed, the marked pixels in red.
     *
     * @param mask 0/1 at the frame's or the map's size
     * @param size side of the map
     */
    public static RgbImage truth(RgbImage frame, byte[] mask, int size) {
        return truth(frame, frame, mask, size);
    }

    private static void tile(RgbImage panel, RgbImage tile, int x, String caption) {
        for (int y = 0; y < tile.height(); y++) {
            System.arraycopy(
                    tile.rgb(),
                    3 * y * tile.width(),
                    panel.rgb(),
                    3 * ((y + CAPTION) * panel.width() + x),
                    3 * tile.width());
        }
        Captions.draw(panel, CAPTION, x + 4, caption);
    }

    /** The frame dimmed, the marked pixels in red. */
    private static RgbImage truth(RgbImage small, RgbImage frame, byte[] mask, int size) {
        int mw;
        int mh;
        if (mask.length == frame.width() * frame.height()) {
            mw = frame.width();
            mh = frame.height();
        } else if (mask.length == size * size) {
            mw = size;
            mh = size;
        } else {
            throw new IllegalArgumentException("a mask has the frame's " + frame.width() + "x" + frame.height()
                    + " or the map's " + size + "x" + size + " values, got " + mask.length);
        }
        int w = small.width();
        int h = small.height();
        byte[] out = new byte[3 * w * h];
        for (int y = 0; y < h; y++) {
            for (int x = 0; x < w; x++) {
                int at = 3 * (y * w + x);
                boolean marked = mask[(int) ((long) y * mh / h) * mw + (int) ((long) x * mw / w)] != 0;
                for (int c = 0; c < 3; c++) {
                    int v = (small.rgb()[at + c] & 0xff) / 2;
                    out[at + c] = (byte) (marked ? v + (c == 0 ? 127 : 0) : v);
                }
            }
        }
        return new RgbImage(w, h, out);
    }

    static RgbImage resize(RgbImage image, int w, int h) {
        if (image.width() == w && image.height() == h) return image;
        byte[] planar = Resampler.resizeToPlanar(image.rgb(), image.width(), image.height(), 3, w, h);
        byte[] out = new byte[planar.length];
        int plane = w * h;
        for (int i = 0; i < plane; i++) {
            for (int c = 0; c < 3; c++) out[3 * i + c] = planar[c * plane + i];
        }
        return new RgbImage(w, h, out);
    }

    private static boolean crosses(float[] row, float[] above, int x, int y) {
        boolean hot = row[x] >= 0.5f;
        return (x > 0 && row[x - 1] >= 0.5f != hot) || (y > 0 && above[x] >= 0.5f != hot);
    }

    /** One row of the map, bilinear, pixel centres aligned. */
    private static void sampleRow(float[] map, int size, int y, int w, int h, float[] row) {
        float sy = Math.min(size - 1, Math.max(0, (y + 0.5f) * size / h - 0.5f));
        int y0 = (int) sy;
        int y1 = Math.min(size - 1, y0 + 1);
        float fy = sy - y0;
        for (int x = 0; x < w; x++) {
            float sx = Math.min(size - 1, Math.max(0, (x + 0.5f) * size / w - 0.5f));
            int x0 = (int) sx;
            int x1 = Math.min(size - 1, x0 + 1);
            float fx = sx - x0;
            float upper = map[y0 * size + x0] * (1 - fx) + map[y0 * size + x1] * fx;
            float lower = map[y1 * size + x0] * (1 - fx) + map[y1 * size + x1] * fx;
            row[x] = upper * (1 - fy) + lower * fy;
        }
    }

    private static byte[] colours() {
        byte[] table = new byte[3 * 256];
        for (int i = 0; i < 256; i++) {
            double at = i / 255.0 * (STOPS.length - 1);
            int stop = Math.min(STOPS.length - 2, (int) at);
            for (int c = 0; c < 3; c++)
                table[3 * i + c] =
                        (byte) Math.round(STOPS[stop][c] + (at - stop) * (STOPS[stop + 1][c] - STOPS[stop][c]));
        }
        return table;
    }

    private static void checkMap(float[] map, int size) {
        if (size < 1 || map.length != (long) size * size)
            throw new IllegalArgumentException(
                    "a map of side " + size + " has " + (long) size * size + " values, got " + map.length);
    }
}

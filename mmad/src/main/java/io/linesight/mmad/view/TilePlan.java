package io.linesight.mmad.view;

import io.linesight.mmad.image.Preprocess;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Chooses tiles: none, a grid that was asked for, or as many as it takes for a defect of a size to be seen. Stateless.
 */
public final class TilePlan {
    /**
     * Pixels of a view that a defect must have to be found: a cell of the encoder at stride 8. At half of that, half as
     * many were found; see docs/accuracy.md.
     */
    public static final int SEEN = 8;

    private static final int SIDE = Preprocess.SIDE;
    /** Share of a tile that the next one shows too, at least: a defect on an edge lies well inside a neighbour. */
    private static final double OVERLAP = 0.125;

    private TilePlan() {}

    /** A grid of tiles. */
    public record Grid(int columns, int rows) {
        public Grid {
            if (columns < 1 || rows < 1)
                throw new IllegalArgumentException("a grid has a column and a row, got " + columns + "x" + rows);
        }

        /** Tiles in it. */
        public long tiles() {
            return (long) columns * rows;
        }

        @Override
        public String toString() {
            return columns + "x" + rows;
        }
    }

    /**
     * The grid that shows a defect of some pixels of the frame at {@value #SEEN} pixels of a tile; null where the whole
     * at 256x256 does already.
     *
     * @param area what is looked at
     */
    public static @Nullable Grid auto(Box area, double smallestDefect) {
        if (!(smallestDefect >= 1))
            throw new IllegalArgumentException("the smallest defect has a pixel at least, got " + smallestDefect);
        double pixels = SIDE * Math.max(1, smallestDefect / SEEN);
        int columns = count(area.width(), pixels);
        int rows = count(area.height(), pixels);
        return columns == 1 && rows == 1 ? null : new Grid(columns, rows);
    }

    private static int count(int length, double tile) {
        if (length <= tile) return 1;
        // n tiles that each share a part with the next cover tile * (n - (n - 1) * overlap).
        return (int) Math.ceil((length / tile - OVERLAP) / (1 - OVERLAP) - 1e-9);
    }

    /**
     * The tiles of a grid over an area, those that lie outside its polygon left out.
     *
     * @throws IllegalArgumentException when the area has fewer pixels than the grid has tiles
     */
    public static List<Box> tiles(Grid grid, Box area, @Nullable Roi roi) {
        List<Box> tiles = new ArrayList<>();
        int width = size(area.width(), grid.columns());
        int height = size(area.height(), grid.rows());
        for (int r = 0; r < grid.rows(); r++) {
            for (int c = 0; c < grid.columns(); c++) {
                Box tile = new Box(
                        area.x() + start(area.width(), width, c, grid.columns()),
                        area.y() + start(area.height(), height, r, grid.rows()),
                        width,
                        height);
                if (roi == null || roi.isBox() || roi.touches(tile)) tiles.add(tile);
            }
        }
        return tiles;
    }

    private static int size(int length, int count) {
        if (count > length) throw new IllegalArgumentException(count + " tiles do not fit " + length + " pixels");
        return (int) Math.min(length, Math.ceil(length / (count - (count - 1) * OVERLAP)));
    }

    private static int start(int length, int tile, int i, int count) {
        return count == 1 ? 0 : (int) Math.round((double) (length - tile) * i / (count - 1));
    }

    /**
     * What a layout costs.
     *
     * @param views of a frame
     * @param encoderMacs multiplications of the encoder for a view; empty = unknown
     * @param viewMillis measured time of the encoder for a view on this machine; NaN = unknown
     */
    public static String cost(long views, OptionalLong encoderMacs, double viewMillis) {
        StringBuilder text = new StringBuilder(views + (views == 1 ? " view" : " views") + " a frame");
        if (encoderMacs.isPresent())
            text.append(String.format(
                    Locale.ROOT,
                    ", %.1f billion multiplications in the encoder",
                    views * encoderMacs.getAsLong() / 1e9));
        if (viewMillis > 0)
            text.append(String.format(
                    Locale.ROOT,
                    ", about %.0f ms in it on this machine (%.1f ms a view)",
                    views * viewMillis,
                    viewMillis));
        return text.toString();
    }
}

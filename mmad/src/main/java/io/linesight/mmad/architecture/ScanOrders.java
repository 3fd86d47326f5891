package io.linesight.mmad.architecture;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Visiting orders of the 2-D selective scan (MMAD_SPEC section 4). Thread-safe. */
public final class ScanOrders {
    private static final Map<Key, int[][]> CACHE = new ConcurrentHashMap<>();

    private record Key(ScanKind kind, int side) {}

    private ScanOrders() {}

    /**
     * The eight directional tables of a base order: {@code table[k][t]} is the row-major pixel that direction k visits
     * at step t. Directions are the base order, its transpose, its quarter turn, its left-right mirror image, then the
     * four reversed.
     *
     * @param side side of the square map, a power of two of at least 2
     * @return int[8][side*side]; a fresh copy
     * @throws IllegalArgumentException when side is not a power of two
     */
    public static int[][] table(ScanKind kind, int side) {
        int[][] cached = CACHE.computeIfAbsent(new Key(kind, side), k -> directions(base(kind, side), side));
        int[][] copy = new int[cached.length][];
        for (int k = 0; k < copy.length; k++) copy[k] = cached[k].clone();
        return copy;
    }

    /**
     * The base order: row-major pixel visited at each step.
     *
     * @param side side of the square map, a power of two of at least 2
     * @return int[side*side]
     * @throws IllegalArgumentException when side is not a power of two
     */
    public static int[] base(ScanKind kind, int side) {
        if (side < 2 || Integer.bitCount(side) != 1)
            throw new IllegalArgumentException("scan orders need a side that is a power of two, got " + side);
        return switch (kind) {
            case HILBERT -> hilbert(side);
            case ZORDER -> zorder(side);
            case ZIGZAG -> zigzag(side);
        };
    }

    private static int[][] directions(int[] base, int side) {
        int length = base.length;
        int[][] table = new int[MmadConfig.DIRECTIONS][length];
        for (int p = 0; p < length; p++) {
            int row = base[p] / side;
            int col = base[p] % side;
            table[0][p] = row * side + col;
            table[1][p] = col * side + row;
            table[2][p] = col * side + side - 1 - row;
            table[3][p] = row * side + side - 1 - col;
        }
        for (int k = 0; k < 4; k++) {
            for (int p = 0; p < length; p++) table[k + 4][p] = table[k][length - 1 - p];
        }
        return table;
    }

    private static int[] hilbert(int side) {
        int[] order = new int[side * side];
        for (int p = 0; p < order.length; p++) {
            int x = 0;
            int y = 0;
            int t = p;
            for (int a = 1; a < side; a *= 2) {
                int rx = (t >> 1) & 1;
                int ry = (t & 1) ^ rx;
                if (ry == 0) {
                    if (rx == 1) {
                        x = a - 1 - x;
                        y = a - 1 - y;
                    }
                    int swap = x;
                    x = y;
                    y = swap;
                }
                x += a * rx;
                y += a * ry;
                t /= 4;
            }
            order[p] = y * side + x;
        }
        return order;
    }

    private static int[] zorder(int side) {
        int[] order = new int[side * side];
        for (int p = 0; p < order.length; p++) {
            int row = 0;
            int col = 0;
            for (int bit = 0; (1 << bit) < side; bit++) {
                col |= ((p >> (2 * bit)) & 1) << bit;
                row |= ((p >> (2 * bit + 1)) & 1) << bit;
            }
            order[p] = row * side + col;
        }
        return order;
    }

    private static int[] zigzag(int side) {
        int[] order = new int[side * side];
        int p = 0;
        for (int diagonal = 0; diagonal <= 2 * side - 2; diagonal++) {
            int first = Math.max(0, diagonal - side + 1);
            int last = Math.min(diagonal, side - 1);
            for (int i = first; i <= last; i++) {
                int row = diagonal % 2 == 0 ? diagonal - i : i;
                int col = diagonal - row;
                order[p++] = row * side + col;
            }
        }
        return order;
    }
}

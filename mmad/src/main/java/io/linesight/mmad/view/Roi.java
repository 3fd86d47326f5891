package io.linesight.mmad.view;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Region of interest of a frame: a polygon, of which a box is one. What lies outside is neither looked at nor scored. A
 * pixel lies inside when its centre does, by the even-odd rule.
 *
 * @param x of the corners, in pixels of the frame; not copied, not to be changed
 * @param y of the corners
 */
public record Roi(int[] x, int[] y) {
    private static final int MAX_CORNERS = 1000;

    /** @throws IllegalArgumentException when it is no polygon */
    public Roi {
        if (x.length != y.length || x.length < 3 || x.length > MAX_CORNERS)
            throw new IllegalArgumentException(
                    "a polygon has 3 to " + MAX_CORNERS + " corners, got " + Math.max(x.length, y.length));
        for (int i = 0; i < x.length; i++)
            if (x[i] < 0 || y[i] < 0)
                throw new IllegalArgumentException("the corner " + x[i] + "," + y[i] + " lies outside every frame");
        if (span(x) < 1 || span(y) < 1) throw new IllegalArgumentException("the polygon encloses no pixel");
    }

    /** A rectangle. */
    public static Roi box(Box box) {
        return new Roi(
                new int[] {box.x(), box.right(), box.right(), box.x()},
                new int[] {box.y(), box.y(), box.bottom(), box.bottom()});
    }

    /**
     * Reads {@code box:x,y,w,h} or {@code polygon:x1,y1,x2,y2,x3,y3,...}.
     *
     * @throws IllegalArgumentException saying what is wrong
     */
    public static Roi parse(String text) {
        String[] parts = text.split(":", 2);
        if (parts.length != 2 || !parts[0].equals("box") && !parts[0].equals("polygon"))
            throw new IllegalArgumentException(
                    "a region of interest is box:x,y,w,h or polygon:x1,y1,x2,y2,x3,y3,..., got '" + text + "'");
        int[] values;
        try {
            values = Arrays.stream(parts[1].split(",", -1))
                    .mapToInt(v -> Integer.parseInt(v.strip()))
                    .toArray();
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    "pixels of a region of interest are whole numbers, got '" + text + "'", e);
        }
        if (parts[0].equals("box")) {
            if (values.length != 4) throw new IllegalArgumentException("a box is box:x,y,w,h, got '" + text + "'");
            return box(new Box(values[0], values[1], values[2], values[3]));
        }
        if (values.length % 2 != 0)
            throw new IllegalArgumentException("a polygon has an x and a y for every corner, got '" + text + "'");
        int n = values.length / 2;
        int[] x = new int[n];
        int[] y = new int[n];
        for (int i = 0; i < n; i++) {
            x[i] = values[2 * i];
            y[i] = values[2 * i + 1];
        }
        return new Roi(x, y);
    }

    private static int span(int[] values) {
        return Arrays.stream(values).max().orElseThrow()
                - Arrays.stream(values).min().orElseThrow();
    }

    /** The smallest box around it. */
    public Box bounds() {
        int left = Arrays.stream(x).min().orElseThrow();
        int top = Arrays.stream(y).min().orElseThrow();
        return new Box(left, top, span(x), span(y));
    }

    /** Whether it fills its bounds. */
    boolean isBox() {
        if (x.length != 4) return false;
        Box b = bounds();
        for (int i = 0; i < 4; i++) {
            int next = (i + 1) % 4;
            boolean corner = (x[i] == b.x() || x[i] == b.right()) && (y[i] == b.y() || y[i] == b.bottom());
            if (!corner || (x[i] == x[next]) == (y[i] == y[next])) return false;
        }
        return true;
    }

    /**
     * Which points of a row lie inside.
     *
     * @param inside set to true or false for every column
     * @param left frame coordinate of the first column's centre
     * @param step frame pixels from column to column
     * @param at frame coordinate of the row's centre
     * @param scale frame pixels for one of the polygon's, across and down
     */
    void row(boolean[] inside, double left, double step, double at, double scaleX, double scaleY) {
        List<Double> crossings = new ArrayList<>();
        for (int i = 0; i < x.length; i++) {
            int j = (i + 1) % x.length;
            double y0 = y[i] * scaleY;
            double y1 = y[j] * scaleY;
            if (y0 <= at == y1 <= at) continue;
            crossings.add((x[i] + (at - y0) / (y1 - y0) * (x[j] - x[i])) * scaleX);
        }
        crossings.sort(null);
        int passed = 0;
        for (int c = 0; c < inside.length; c++) {
            while (passed < crossings.size() && crossings.get(passed) <= left + c * step) passed++;
            inside[c] = passed % 2 == 1;
        }
    }

    /** Whether any pixel of a box lies inside. */
    boolean touches(Box box) {
        boolean[] inside = new boolean[box.width()];
        for (int dy = 0; dy < box.height(); dy++) {
            row(inside, box.x() + 0.5, 1, box.y() + dy + 0.5, 1, 1);
            for (boolean in : inside) if (in) return true;
        }
        return false;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Roi o && Arrays.equals(x, o.x) && Arrays.equals(y, o.y);
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(x) + Arrays.hashCode(y);
    }

    @Override
    public String toString() {
        if (isBox()) return bounds().toString();
        return "polygon of " + x.length + " corners within " + bounds();
    }
}

package io.linesight.mmad.accuracy;

import java.util.Arrays;

/**
 * A curve as the points of a polyline, from left to right.
 *
 * @param x not falling
 * @param y as many
 */
public record Curve(double[] x, double[] y) {
    public Curve {
        if (x.length != y.length || x.length == 0)
            throw new IllegalArgumentException(
                    "a curve needs as many x as y and at least one, got " + x.length + " and " + y.length);
    }

    /** Area under the polyline, by trapezoids. */
    public double area() {
        double sum = 0;
        for (int i = 1; i < x.length; i++) sum += (x[i] - x[i - 1]) * (y[i] + y[i - 1]) / 2;
        return sum;
    }

    /**
     * Takes points, leaves out those that lie on a level or upright stretch between their neighbours: the line stays
     * the same.
     */
    static final class Builder {
        private double[] x = new double[64];
        private double[] y = new double[64];
        private int count;

        Builder to(double nextX, double nextY) {
            if (count > 1
                    && ((x[count - 1] == nextX && x[count - 2] == nextX)
                            || (y[count - 1] == nextY && y[count - 2] == nextY))) count--;
            if (count == x.length) {
                x = Arrays.copyOf(x, 2 * count);
                y = Arrays.copyOf(y, 2 * count);
            }
            x[count] = nextX;
            y[count++] = nextY;
            return this;
        }

        Curve build(double scaleX, double scaleY) {
            double[] xs = Arrays.copyOf(x, count);
            double[] ys = Arrays.copyOf(y, count);
            for (int i = 0; i < count; i++) {
                xs[i] *= scaleX;
                ys[i] *= scaleY;
            }
            return new Curve(xs, ys);
        }
    }
}

package io.linesight.trainer.distill;

import java.util.SplittableRandom;

/**
 * A square colour image of floats in [0,1], and what is needed to paint surfaces on it. Everything is antialiased
 * through signed distances.
 */
final class Canvas {
    final int side;
    /** Red, green, blue; {@code side*side} each, rows from the top. */
    final float[][] rgb;

    Canvas(int side) {
        this.side = side;
        rgb = new float[3][side * side];
    }

    /** Signed distance in pixels from a shape's edge, negative inside. */
    interface Shape {
        double distance(double x, double y);
    }

    static Shape ellipse(double cx, double cy, double a, double b, double angle) {
        double c = Math.cos(angle);
        double s = Math.sin(angle);
        double min = Math.min(a, b);
        return (x, y) -> {
            double u = ((x - cx) * c + (y - cy) * s) / a;
            double v = (-(x - cx) * s + (y - cy) * c) / b;
            return (Math.sqrt(u * u + v * v) - 1) * min;
        };
    }

    /** A rectangle of half sides a and b with rounded corners. */
    static Shape box(double cx, double cy, double a, double b, double round, double angle) {
        double c = Math.cos(angle);
        double s = Math.sin(angle);
        double r = Math.min(round, Math.min(a, b));
        return (x, y) -> {
            double u = Math.abs((x - cx) * c + (y - cy) * s) - a + r;
            double v = Math.abs(-(x - cx) * s + (y - cy) * c) - b + r;
            double ou = Math.max(u, 0);
            double ov = Math.max(v, 0);
            return Math.sqrt(ou * ou + ov * ov) + Math.min(Math.max(u, v), 0) - r;
        };
    }

    /** A regular polygon. */
    static Shape polygon(double cx, double cy, double radius, int corners, double angle) {
        double inner = radius * Math.cos(Math.PI / corners);
        return (x, y) -> {
            double d = Double.NEGATIVE_INFINITY;
            for (int i = 0; i < corners; i++) {
                double t = angle + 2 * Math.PI * i / corners;
                d = Math.max(d, (x - cx) * Math.cos(t) + (y - cy) * Math.sin(t) - inner);
            }
            return d;
        };
    }

    static Shape segment(double x0, double y0, double x1, double y1, double halfWidth) {
        double dx = x1 - x0;
        double dy = y1 - y0;
        double length = Math.max(1e-9, dx * dx + dy * dy);
        return (x, y) -> {
            double t = Math.max(0, Math.min(1, ((x - x0) * dx + (y - y0) * dy) / length));
            double ex = x - x0 - t * dx;
            double ey = y - y0 - t * dy;
            return Math.sqrt(ex * ex + ey * ey) - halfWidth;
        };
    }

    /**
     * Paints a shape within a box around it; alpha falls from opacity to 0 over {@code soft} pixels across the edge.
     */
    void fill(Shape shape, double cx, double cy, double reach, float[] colour, double opacity, double soft) {
        int x0 = (int) Math.max(0, Math.floor(cx - reach - soft));
        int y0 = (int) Math.max(0, Math.floor(cy - reach - soft));
        int x1 = (int) Math.min(side - 1, Math.ceil(cx + reach + soft));
        int y1 = (int) Math.min(side - 1, Math.ceil(cy + reach + soft));
        for (int y = y0; y <= y1; y++) {
            for (int x = x0; x <= x1; x++) {
                double a = opacity * Math.max(0, Math.min(1, 0.5 - shape.distance(x, y) / soft));
                if (a > 0) blend(y * side + x, colour, (float) a);
            }
        }
    }

    void line(double x0, double y0, double x1, double y1, double halfWidth, float[] colour, double opacity) {
        double reach = Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0)) / 2 + halfWidth + 1;
        fill(segment(x0, y0, x1, y1, halfWidth), (x0 + x1) / 2, (y0 + y1) / 2, reach, colour, opacity, 1);
    }

    void blend(int at, float[] colour, float a) {
        for (int c = 0; c < 3; c++) rgb[c][at] += a * (colour[c] - rgb[c][at]);
    }

    void clear(float[] colour) {
        for (int c = 0; c < 3; c++) java.util.Arrays.fill(rgb[c], colour[c]);
    }

    /** Colours a field of values in [0,1] along a path of colours. */
    void colour(float[] field, float[]... path) {
        for (int i = 0; i < field.length; i++) {
            float t = Math.max(0, Math.min(0.9999f, field[i])) * (path.length - 1);
            int k = (int) t;
            float f = t - k;
            for (int c = 0; c < 3; c++) rgb[c][i] = path[k][c] + f * (path[k + 1][c] - path[k][c]);
        }
    }

    /** Multiplies every pixel by a light that falls on a height field from an angle. */
    void light(float[] height, double angle, double strength) {
        double lx = Math.cos(angle) * strength;
        double ly = Math.sin(angle) * strength;
        for (int y = 0; y < side; y++) {
            for (int x = 0; x < side; x++) {
                int i = y * side + x;
                float gx = height[y * side + Math.min(side - 1, x + 1)] - height[y * side + Math.max(0, x - 1)];
                float gy = height[Math.min(side - 1, y + 1) * side + x] - height[Math.max(0, y - 1) * side + x];
                float f = (float) Math.max(0.1, Math.min(2.2, 1 + lx * gx + ly * gy));
                for (int c = 0; c < 3; c++) rgb[c][i] *= f;
            }
        }
    }

    /**
     * Fractal value noise, stretched to [0,1].
     *
     * @param fx cycles per pixel along the angle, of the coarsest octave
     * @param fy the same across it
     */
    static float[] noise(
            SplittableRandom random, int side, double fx, double fy, double angle, int octaves, double gain) {
        float[] out = new float[side * side];
        double c = Math.cos(angle);
        double s = Math.sin(angle);
        double amplitude = 1;
        for (int o = 0; o < octaves; o++) {
            int salt = random.nextInt();
            double ox = random.nextDouble() * 100;
            double oy = random.nextDouble() * 100;
            for (int y = 0; y < side; y++) {
                for (int x = 0; x < side; x++) {
                    double u = (x * c + y * s) * fx + ox;
                    double v = (-x * s + y * c) * fy + oy;
                    out[y * side + x] += (float) (amplitude * value(u, v, salt));
                }
            }
            fx *= 2;
            fy *= 2;
            amplitude *= gain;
        }
        return stretch(out);
    }

    private static double value(double u, double v, int salt) {
        int iu = (int) Math.floor(u);
        int iv = (int) Math.floor(v);
        double fu = u - iu;
        double fv = v - iv;
        fu = fu * fu * (3 - 2 * fu);
        fv = fv * fv * (3 - 2 * fv);
        double a = hash(iu, iv, salt);
        double b = hash(iu + 1, iv, salt);
        double c = hash(iu, iv + 1, salt);
        double d = hash(iu + 1, iv + 1, salt);
        return a + fu * (b - a) + fv * (c - a + fu * (a - b - c + d));
    }

    /** A number in [0,1) for a lattice point. */
    static double hash(int x, int y, int salt) {
        int h = x * 0x27d4eb2d ^ y * 0x165667b1 ^ salt;
        h = (h ^ h >>> 15) * 0x2c1b3c6d;
        h = (h ^ h >>> 12) * 0x297a2d39;
        return ((h ^ h >>> 15) >>> 8) * 0x1p-24;
    }

    /** Scales in place so that the values span [0,1]. */
    static float[] stretch(float[] field) {
        float min = Float.MAX_VALUE;
        float max = -Float.MAX_VALUE;
        for (float v : field) {
            min = Math.min(min, v);
            max = Math.max(max, v);
        }
        float f = max > min ? 1 / (max - min) : 0;
        for (int i = 0; i < field.length; i++) field[i] = (field[i] - min) * f;
        return field;
    }
}

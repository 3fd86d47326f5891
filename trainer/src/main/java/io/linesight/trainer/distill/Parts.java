package io.linesight.trainer.distill;

import static io.linesight.trainer.distill.Palette.against;
import static io.linesight.trainer.distill.Palette.colour;
import static io.linesight.trainer.distill.Palette.in;
import static io.linesight.trainer.distill.Palette.log;
import static io.linesight.trainer.distill.Palette.mix;
import static io.linesight.trainer.distill.Surfaces.brushed;
import static io.linesight.trainer.distill.Surfaces.fractal;
import static io.linesight.trainer.distill.Surfaces.plain;

import java.util.SplittableRandom;

/** Things on a ground: perforations, print, solids with shadows, screws. Stateless. */
final class Parts {
    private Parts() {}

    static Canvas holes(SplittableRandom r, int side) {
        Canvas canvas = r.nextBoolean() ? brushed(r, side) : plain(r, side);
        double pitch = log(r, 9, 60);
        double radius = pitch * in(r, 0.15, 0.45);
        double angle = r.nextBoolean() ? 0 : in(r, 0, 1.6);
        boolean hex = r.nextBoolean();
        int corners = r.nextInt(3);
        float[] dark = against(r, new float[] {canvas.rgb[0][0], canvas.rgb[1][0], canvas.rgb[2][0]});
        float[] rim = mix(dark, new float[] {1, 1, 1}, in(r, 0.2, 0.9));
        double shift = in(r, -0.15, 0.15) * radius;
        int n = (int) (side / pitch) + 3;
        double c = Math.cos(angle);
        double s = Math.sin(angle);
        double ox = in(r, 0, pitch);
        double oy = in(r, 0, pitch);
        for (int j = -n; j <= n; j++) {
            for (int i = -n; i <= n; i++) {
                double u = (i + (hex && (j & 1) != 0 ? 0.5 : 0)) * pitch;
                double v = j * pitch * (hex ? 0.866 : 1);
                double x = side / 2.0 + ox + u * c - v * s;
                double y = side / 2.0 + oy + u * s + v * c;
                if (x < -radius || y < -radius || x > side + radius || y > side + radius) continue;
                if (shift != 0)
                    canvas.fill(
                            hole(x + shift, y + shift, radius * 1.12, corners, angle),
                            x + shift,
                            y + shift,
                            radius * 1.6,
                            rim,
                            0.6,
                            1.5);
                canvas.fill(hole(x, y, radius, corners, angle), x, y, radius * 1.5, dark, 1, 1);
            }
        }
        return canvas;
    }

    static Canvas print(SplittableRandom r, int side) {
        Canvas canvas = r.nextInt(3) == 0 ? fractal(r, side) : plain(r, side);
        float[] ink = against(r, new float[] {canvas.rgb[0][0], canvas.rgb[1][0], canvas.rgb[2][0]});
        switch (r.nextInt(4)) {
            case 0 -> barcode(r, canvas, ink);
            case 1 -> dataMatrix(r, canvas, ink);
            default -> text(r, canvas, ink);
        }
        return canvas;
    }

    static void barcode(SplittableRandom r, Canvas canvas, float[] ink) {
        int side = canvas.side;
        double x = in(r, -10, 20);
        double top = in(r, -20, side * 0.5);
        double height = in(r, 20, side);
        double unit = log(r, 1, 5);
        while (x < side) {
            double width = unit * (1 + r.nextInt(4));
            canvas.fill(
                    Canvas.box(x + width / 2, top + height / 2, width / 2, height / 2, 0, 0),
                    x,
                    top + height / 2,
                    Math.max(height / 2, width),
                    ink,
                    1,
                    1);
            x += width + unit * (1 + r.nextInt(3));
        }
    }

    private static void dataMatrix(SplittableRandom r, Canvas canvas, float[] ink) {
        int side = canvas.side;
        int cells = 8 + r.nextInt(16);
        double unit = in(r, 2, 7);
        double x0 = in(r, -10, side / 2.0);
        double y0 = in(r, -10, side / 2.0);
        for (int j = 0; j < cells; j++) {
            for (int i = 0; i < cells; i++) {
                double x = x0 + i * unit;
                double y = y0 + j * unit;
                if (i == 0 || j == cells - 1 || r.nextBoolean())
                    canvas.fill(Canvas.box(x, y, unit / 2, unit / 2, 0, 0), x, y, unit, ink, 1, 1);
            }
        }
    }

    private static void text(SplittableRandom r, Canvas canvas, float[] ink) {
        int side = canvas.side;
        double size = log(r, 7, 50);
        double weight = size * in(r, 0.04, 0.1);
        double angle = r.nextBoolean() ? 0 : in(r, -0.4, 0.4);
        double slant = in(r, -0.05, 0.25);
        double c = Math.cos(angle);
        double s = Math.sin(angle);
        for (double v = in(r, -size, size); v < side + size; v += size * in(r, 1.3, 1.8)) {
            for (double u = in(r, -size, size); u < side + size; u += size * 0.75) {
                if (r.nextInt(6) == 0) continue;
                glyph(r, canvas, u, v, size, weight, slant, c, s, ink);
            }
            if (r.nextInt(4) == 0) v += size;
        }
    }

    static Canvas shapes(SplittableRandom r, int side) {
        Canvas canvas = r.nextBoolean() ? plain(r, side) : fractal(r, side);
        int count = 1 + r.nextInt(10);
        for (int i = 0; i < count; i++) {
            double x = in(r, -10, side + 10);
            double y = in(r, -10, side + 10);
            double size = log(r, 4, side * 0.45);
            double angle = in(r, 0, 6.3);
            double aspect = in(r, 0.3, 1);
            int kind = r.nextInt(4);
            double dx = in(r, -4, 4);
            double dy = in(r, -4, 4);
            if (r.nextInt(3) > 0)
                canvas.fill(
                        shape(kind, x + dx, y + dy, size, aspect, angle, i),
                        x + dx,
                        y + dy,
                        size * 1.5,
                        new float[3],
                        in(r, 0.2, 0.7),
                        in(r, 2, 12));
            Canvas.Shape shape = shape(kind, x, y, size, aspect, angle, i);
            float[] a = colour(r);
            canvas.fill(shape, x, y, size * 1.5, a, 1, 1);
            float[] shine = mix(a, r.nextBoolean() ? new float[] {1, 1, 1} : new float[3], in(r, 0.1, 0.6));
            // A ball's or a cylinder's light: brightest off the middle.
            canvas.fill(
                    Canvas.ellipse(x + dx * size / 12, y + dy * size / 12, size * 0.3, size * 0.3 * aspect, angle),
                    x,
                    y,
                    size,
                    shine,
                    r.nextBoolean() ? 0.9 : 0,
                    size * 0.5);
        }
        return canvas;
    }

    static Canvas threads(SplittableRandom r, int side) {
        Canvas canvas = plain(r, side);
        double period = log(r, 4, 24);
        double radius = in(r, side * 0.12, side * 0.45);
        double slope = in(r, -0.6, 0.6);
        double middle = in(r, side * 0.3, side * 0.7);
        double end = r.nextBoolean() ? side + 1 : in(r, side * 0.3, side);
        float[] a = colour(r);
        double gloss = in(r, 0.3, 1);
        double tilt = in(r, -0.3, 0.3);
        for (int y = 0; y < side; y++) {
            for (int x = 0; x < side; x++) {
                double t = (x - middle - tilt * (y - side / 2.0)) / radius;
                if (Math.abs(t) >= 1 || y > end) continue;
                double round = Math.sqrt(1 - t * t);
                double phase = (y + slope * radius * Math.asin(t)) / period;
                double ridge = 0.5 + 0.5 * Math.sin(2 * Math.PI * phase) * (0.4 + 0.6 * gloss);
                float light = (float) (round * (0.3 + 0.7 * ridge)
                        + 0.5 * gloss * Math.pow(Math.max(0, 1 - Math.abs(t + 0.35) * 3), 2) * ridge);
                canvas.blend(
                        y * side + x,
                        new float[] {
                            Math.min(1, a[0] * light * 1.4f),
                            Math.min(1, a[1] * light * 1.4f),
                            Math.min(1, a[2] * light * 1.4f)
                        },
                        (float) Math.min(1, (1 - Math.abs(t)) * radius));
            }
        }
        return canvas;
    }

    static Canvas.Shape shape(int kind, double x, double y, double size, double aspect, double angle, int salt) {
        return switch (kind) {
            case 0 -> Canvas.ellipse(x, y, size, size * aspect, angle);
            case 1 -> Canvas.box(x, y, size, size * aspect, size * 0.2 * (salt & 1), angle);
            case 2 -> Canvas.polygon(x, y, size, 3 + salt % 6, angle);
            default -> {
                Canvas.Shape outer = Canvas.ellipse(x, y, size, size, angle);
                yield (px, py) -> Math.max(outer.distance(px, py), -outer.distance(px, py) - size * 0.4 * aspect);
            }
        };
    }

    private static Canvas.Shape hole(double x, double y, double radius, int kind, double angle) {
        return switch (kind) {
            case 0 -> Canvas.ellipse(x, y, radius, radius, 0);
            case 1 -> Canvas.polygon(x, y, radius, 6, angle);
            default -> Canvas.box(x, y, radius, radius * 0.7, radius * 0.2, angle);
        };
    }

    /** Strokes of the seven segments and the diagonals between six points: digits, letters and what could be some. */
    private static void glyph(
            SplittableRandom r,
            Canvas canvas,
            double u,
            double v,
            double size,
            double weight,
            double slant,
            double c,
            double s,
            float[] ink) {
        int[][] strokes = {{0, 1}, {2, 3}, {4, 5}, {0, 2}, {1, 3}, {2, 4}, {3, 5}, {0, 3}, {2, 5}, {1, 2}, {3, 4}};
        int seven = 0b1110111 ^ (1 << r.nextInt(7)) ^ (r.nextBoolean() ? 1 << r.nextInt(7) : 0);
        int bits = r.nextInt(3) == 0 ? seven & 0x70 | 1 << 7 + r.nextInt(4) | 1 << 7 + r.nextInt(4) : seven;
        for (int i = 0; i < strokes.length; i++) {
            if ((bits >> i & 1) == 0) continue;
            double[] p = new double[4];
            for (int end = 0; end < 2; end++) {
                int point = strokes[i][end];
                double gy = point / 2 * 0.5 * size;
                double gx = (point & 1) * 0.5 * size - slant * gy;
                p[2 * end] = (u + gx) * c - (v + gy) * s;
                p[2 * end + 1] = (u + gx) * s + (v + gy) * c;
            }
            canvas.line(p[0], p[1], p[2], p[3], weight, ink, 1);
        }
    }
}

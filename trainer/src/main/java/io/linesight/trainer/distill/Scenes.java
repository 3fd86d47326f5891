package io.linesight.trainer.distill;

import java.util.List;
import java.util.SplittableRandom;

/**
 * Made-up surfaces and parts as industrial cameras see them. The same random numbers give the same image. Stateless.
 */
final class Scenes {
    private interface Family {
        Canvas paint(SplittableRandom r, int side);
    }

    private record Named(String name, Family family) {}

    private static final List<Named> FAMILIES = List.of(
            new Named("fractal noise", Scenes::fractal),
            new Named("cells and leather", Scenes::cells),
            new Named("brushed metal", Scenes::brushed),
            new Named("gratings and fabric", Scenes::fabric),
            new Named("perforated plates", Scenes::holes),
            new Named("print and barcodes", Scenes::print),
            new Named("polygons and ellipses with shadows", Scenes::shapes),
            new Named("wood grain", Scenes::wood),
            new Named("concrete and granulate", Scenes::concrete),
            new Named("solder joints", Scenes::solder),
            new Named("circuit board traces", Scenes::traces),
            new Named("solar cells", Scenes::solar),
            new Named("threads and springs", Scenes::threads),
            new Named("turned parts", Scenes::turned));

    private Scenes() {}

    /** Names of the families, for people. */
    static List<String> families() {
        return FAMILIES.stream().map(Named::name).toList();
    }

    /**
     * A scene: one family, or an object of one family on a ground of another; one in two with marks such as scratches
     * and stains.
     */
    static Canvas paint(SplittableRandom r, int side) {
        Canvas canvas = family(r, r.nextInt(FAMILIES.size()), side);
        if (r.nextDouble() < 0.4)
            canvas = compose(r, canvas, r.nextBoolean() ? family(r, r.nextInt(FAMILIES.size()), side) : plain(r, side));
        if (r.nextDouble() < 0.5) marks(r, canvas);
        return canvas;
    }

    static Canvas family(SplittableRandom r, int family, int side) {
        return FAMILIES.get(family).family().paint(r, side);
    }

    private static double in(SplittableRandom r, double least, double most) {
        return least + r.nextDouble() * (most - least);
    }

    /** Between two positive numbers, evenly in their logarithm. */
    private static double log(SplittableRandom r, double least, double most) {
        return least * Math.pow(most / least, r.nextDouble());
    }

    /** Mostly grey, as most of what is inspected. */
    private static float[] colour(SplittableRandom r) {
        float v = (float) in(r, 0.03, 0.97);
        double tint = r.nextDouble() < 0.55 ? 0.03 : 0.35;
        float[] c = new float[3];
        for (int i = 0; i < 3; i++) c[i] = Math.max(0, Math.min(1, v + (float) in(r, -tint, tint)));
        return c;
    }

    /** A colour whose brightness differs from another's by some contrast. */
    private static float[] against(SplittableRandom r, float[] other) {
        float[] c = colour(r);
        float contrast = (float) log(r, 0.06, 0.9) * (r.nextBoolean() ? 1 : -1);
        float mean = (other[0] + other[1] + other[2]) / 3;
        if (mean + contrast < 0 || mean + contrast > 1) contrast = -contrast;
        float shift = mean + contrast - (c[0] + c[1] + c[2]) / 3;
        for (int i = 0; i < 3; i++) c[i] = Math.max(0, Math.min(1, c[i] + shift));
        return c;
    }

    private static float[] mix(float[] a, float[] b, double t) {
        float[] c = new float[3];
        for (int i = 0; i < 3; i++) c[i] = (float) (a[i] + t * (b[i] - a[i]));
        return c;
    }

    /** A nearly even ground with a soft gradient of light. */
    private static Canvas plain(SplittableRandom r, int side) {
        Canvas canvas = new Canvas(side);
        float[] a = colour(r);
        float[] field = Canvas.noise(r, side, log(r, 0.003, 0.02), log(r, 0.003, 0.02), in(r, 0, 3.2), 1, 0.5);
        canvas.colour(field, a, mix(a, colour(r), in(r, 0, 0.3)));
        return canvas;
    }

    private static Canvas fractal(SplittableRandom r, int side) {
        Canvas canvas = new Canvas(side);
        double f = log(r, 0.006, 0.15);
        float[] field =
                Canvas.noise(r, side, f, f * log(r, 0.4, 2.5), in(r, 0, 3.2), 2 + r.nextInt(4), in(r, 0.4, 0.8));
        float[] a = colour(r);
        float[] b = against(r, a);
        if (r.nextInt(3) == 0) canvas.colour(field, a, b, colour(r));
        else canvas.colour(field, a, b);
        if (r.nextBoolean()) canvas.light(field, in(r, 0, 6.3), log(r, 0.5, 8));
        return canvas;
    }

    private static Canvas cells(SplittableRandom r, int side) {
        Canvas canvas = new Canvas(side);
        double size = log(r, 5, 40);
        double stretch = r.nextBoolean() ? 1 : log(r, 0.4, 2.5);
        double jitter = in(r, 0.3, 1);
        int salt = r.nextInt();
        double angle = in(r, 0, 3.2);
        double c = Math.cos(angle) / size;
        double s = Math.sin(angle) / size;
        float[] edge = new float[side * side];
        float[] tone = new float[side * side];
        for (int y = 0; y < side; y++) {
            for (int x = 0; x < side; x++) {
                double u = (x * c + y * s) * stretch + 50;
                double v = -x * s + y * c + 50;
                int iu = (int) u;
                int iv = (int) v;
                double first = 9;
                double second = 9;
                for (int j = -1; j <= 1; j++) {
                    for (int i = -1; i <= 1; i++) {
                        double du = iu + i + 0.5 + jitter * (Canvas.hash(iu + i, iv + j, salt) - 0.5) - u;
                        double dv = iv + j + 0.5 + jitter * (Canvas.hash(iu + i, iv + j, salt + 1) - 0.5) - v;
                        double d = du * du + dv * dv;
                        if (d < first) {
                            second = first;
                            first = d;
                            tone[y * side + x] = (float) Canvas.hash(iu + i, iv + j, salt + 2);
                        } else if (d < second) {
                            second = d;
                        }
                    }
                }
                edge[y * side + x] = (float) (Math.sqrt(second) - Math.sqrt(first));
            }
        }
        float[] a = colour(r);
        float[] b = against(r, a);
        int kind = r.nextInt(3);
        if (kind == 0) {
            canvas.colour(tone, a, b);
            float[] seam = mix(a, colour(r), in(r, 0.2, 1));
            double width = in(r, 0.05, 0.3);
            for (int i = 0; i < edge.length; i++)
                if (edge[i] < width) canvas.blend(i, seam, (float) (1 - edge[i] / width));
        } else {
            double power = log(r, 0.25, 1);
            for (int i = 0; i < edge.length; i++) edge[i] = (float) Math.pow(Math.min(1, edge[i]), power);
            if (kind == 1) canvas.colour(edge, a, b);
            else canvas.colour(tone, a, mix(a, b, 0.15));
            canvas.light(edge, in(r, 0, 6.3), log(r, 0.5, 3) * size / 12);
        }
        return canvas;
    }

    private static Canvas brushed(SplittableRandom r, int side) {
        Canvas canvas = new Canvas(side);
        double angle = r.nextBoolean() ? r.nextInt(2) * Math.PI / 2 : in(r, 0, 3.2);
        float[] streaks = Canvas.noise(r, side, log(r, 0.002, 0.02), log(r, 0.15, 0.7), angle, 3, in(r, 0.5, 1));
        float[] light = Canvas.noise(r, side, 0.01, 0.01, angle, 1, 0.5);
        float w = (float) in(r, 0.2, 0.9);
        for (int i = 0; i < streaks.length; i++) streaks[i] = w * streaks[i] + (1 - w) * light[i];
        float[] a = colour(r);
        canvas.colour(streaks, a, against(r, a));
        return canvas;
    }

    private static Canvas fabric(SplittableRandom r, int side) {
        Canvas canvas = new Canvas(side);
        double period = log(r, 3, 28);
        double angle = r.nextInt(3) == 0 ? in(r, 0, 3.2) : r.nextInt(2) * Math.PI / 2 + in(r, -0.1, 0.1);
        double c = Math.cos(angle);
        double s = Math.sin(angle);
        float[] wobble = Canvas.noise(r, side, 0.03, 0.03, 0, 2, 0.5);
        double bend = r.nextBoolean() ? 0 : in(r, 0, 8);
        double ratio = log(r, 0.5, 2);
        int kind = r.nextInt(5);
        double sharp = log(r, 0.7, 6);
        int twill = 1 + r.nextInt(3);
        float[] field = new float[side * side];
        for (int y = 0; y < side; y++) {
            for (int x = 0; x < side; x++) {
                int i = y * side + x;
                double u = (x * c + y * s + bend * wobble[i]) / period;
                double v = (-x * s + y * c) / period * ratio;
                double wu = Math.sin(2 * Math.PI * u);
                double wv = Math.sin(2 * Math.PI * v);
                double value =
                        switch (kind) {
                            case 0 -> Math.tanh(sharp * wu);
                            case 1 -> {
                                // A thread lies over the other where the pattern of the weave says so; its roundness is
                                // its brightness.
                                boolean over = Math.floorMod(
                                                (int) Math.floor(2 * u) + (int) Math.floor(2 * v) * twill,
                                                2 + (twill > 1 ? 1 : 0))
                                        == 0;
                                yield over
                                        ? Math.abs(Math.sin(2 * Math.PI * u)) * 2 - 1
                                        : Math.abs(Math.sin(2 * Math.PI * v)) * 1.6 - 1;
                            }
                            case 2 -> Math.tanh(sharp * (wu + wv) / 2);
                            case 3 -> Math.tanh(sharp * Math.max(Math.abs(wu), Math.abs(wv)) - sharp / 2);
                            default ->
                                Math.tanh(sharp
                                        * (Math.abs(Math.sin(Math.PI * (u + v)))
                                                - Math.abs(Math.sin(Math.PI * (u - v)))));
                        };
                field[i] = (float) value;
            }
        }
        Canvas.stretch(field);
        float[] fibre = Canvas.noise(r, side, log(r, 0.1, 0.5), log(r, 0.1, 0.5), angle, 2, 0.7);
        float w = (float) in(r, 0, 0.4);
        for (int i = 0; i < field.length; i++) field[i] = (1 - w) * field[i] + w * fibre[i];
        float[] a = colour(r);
        canvas.colour(field, a, against(r, a));
        if (r.nextBoolean()) canvas.light(field, in(r, 0, 6.3), log(r, 0.2, 1.5));
        return canvas;
    }

    private static Canvas holes(SplittableRandom r, int side) {
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

    private static Canvas.Shape hole(double x, double y, double radius, int kind, double angle) {
        return switch (kind) {
            case 0 -> Canvas.ellipse(x, y, radius, radius, 0);
            case 1 -> Canvas.polygon(x, y, radius, 6, angle);
            default -> Canvas.box(x, y, radius, radius * 0.7, radius * 0.2, angle);
        };
    }

    private static Canvas print(SplittableRandom r, int side) {
        Canvas canvas = r.nextInt(3) == 0 ? fractal(r, side) : plain(r, side);
        float[] ink = against(r, new float[] {canvas.rgb[0][0], canvas.rgb[1][0], canvas.rgb[2][0]});
        int kind = r.nextInt(4);
        if (kind == 0) {
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
            return canvas;
        }
        if (kind == 1) {
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
            return canvas;
        }
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
        return canvas;
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

    private static Canvas shapes(SplittableRandom r, int side) {
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

    private static Canvas.Shape shape(
            int kind, double x, double y, double size, double aspect, double angle, int salt) {
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

    private static Canvas wood(SplittableRandom r, int side) {
        Canvas canvas = new Canvas(side);
        double angle = r.nextBoolean() ? r.nextInt(2) * Math.PI / 2 : in(r, 0, 3.2);
        float[] warp = Canvas.noise(r, side, log(r, 0.003, 0.012), log(r, 0.01, 0.05), angle, 2, 0.4);
        float[] pores = Canvas.noise(r, side, 0.02, log(r, 0.2, 0.6), angle, 2, 0.8);
        double rings = log(r, 3, 25);
        float w = (float) in(r, 0.1, 0.6);
        float[] field = new float[side * side];
        for (int i = 0; i < field.length; i++) {
            double t = warp[i] * rings;
            t -= Math.floor(t);
            field[i] = (float) ((1 - w) * t * t + w * pores[i]);
        }
        float v = (float) in(r, 0.3, 0.9);
        float[] a = r.nextInt(3) == 0 ? colour(r) : new float[] {v, v * 0.75f, v * 0.5f};
        canvas.colour(field, a, mix(a, new float[3], in(r, 0.2, 0.7)));
        return canvas;
    }

    private static Canvas concrete(SplittableRandom r, int side) {
        Canvas canvas = new Canvas(side);
        float[] coarse = Canvas.noise(r, side, log(r, 0.01, 0.05), log(r, 0.01, 0.05), 0, 3, 0.6);
        float[] fine = Canvas.noise(r, side, 0.5, 0.5, 0.4, 2, 1);
        float w = (float) in(r, 0.1, 0.8);
        float[] field = new float[side * side];
        for (int i = 0; i < field.length; i++) field[i] = (1 - w) * coarse[i] + w * fine[i];
        float[] a = colour(r);
        canvas.colour(field, a, against(r, a));
        int grains = r.nextInt(3) == 0 ? 0 : (int) log(r, 5, 250);
        double size = log(r, 0.8, 6);
        float[] b = against(r, a);
        for (int i = 0; i < grains; i++) {
            double x = in(r, 0, side);
            double y = in(r, 0, side);
            double g = size * in(r, 0.4, 1.6);
            canvas.fill(
                    Canvas.ellipse(x, y, g, g * in(r, 0.5, 1), in(r, 0, 3.2)),
                    x,
                    y,
                    g,
                    mix(b, colour(r), in(r, 0, 0.5)),
                    in(r, 0.4, 1),
                    1);
        }
        return canvas;
    }

    private static Canvas solder(SplittableRandom r, int side) {
        Canvas canvas = r.nextBoolean() ? plain(r, side) : fractal(r, side);
        double pitch = log(r, 14, 64);
        boolean rows = r.nextBoolean();
        float[] pad = colour(r);
        double lx = in(r, -0.35, 0.35);
        double ly = in(r, -0.35, 0.35);
        double aspect = in(r, 0.6, 1);
        for (double y = in(r, -pitch, 0); y < side + pitch; y += pitch) {
            for (double x = in(r, -pitch, 0); x < side + pitch; x += pitch * (rows ? 1 : in(r, 0.8, 1.7))) {
                double radius = pitch * in(r, 0.25, 0.42);
                canvas.fill(
                        Canvas.box(x, y, radius * 1.15, radius * 1.15 * aspect, radius * 0.3, 0),
                        x,
                        y,
                        radius * 2,
                        pad,
                        0.8,
                        1);
                canvas.fill(
                        Canvas.ellipse(x, y, radius, radius * aspect, 0),
                        x,
                        y,
                        radius,
                        new float[] {0.25f, 0.25f, 0.27f},
                        1,
                        1.5);
                canvas.fill(
                        Canvas.ellipse(x + lx * radius, y + ly * radius, radius * 0.75, radius * 0.6, 0),
                        x,
                        y,
                        radius * 1.5,
                        new float[] {0.65f, 0.65f, 0.67f},
                        0.9,
                        radius * 0.6);
                canvas.fill(
                        Canvas.ellipse(
                                x + lx * radius * 1.3,
                                y + ly * radius * 1.3,
                                radius * 0.25,
                                radius * 0.18,
                                in(r, 0, 3)),
                        x,
                        y,
                        radius * 1.5,
                        new float[] {1, 1, 1},
                        1,
                        radius * 0.2 + 0.5);
            }
        }
        return canvas;
    }

    private static Canvas traces(SplittableRandom r, int side) {
        Canvas canvas = new Canvas(side);
        float[] board = r.nextInt(3) == 0
                ? colour(r)
                : new float[] {(float) in(r, 0, 0.15), (float) in(r, 0.2, 0.5), (float) in(r, 0.1, 0.4)};
        float[] grain = Canvas.noise(r, side, 0.3, 0.3, 0, 2, 0.7);
        canvas.colour(grain, board, mix(board, new float[3], in(r, 0, 0.25)));
        float[] copper =
                mix(board, r.nextBoolean() ? new float[] {0.9f, 0.7f, 0.3f} : against(r, board), in(r, 0.3, 1));
        float[] pad = mix(copper, new float[] {0.95f, 0.95f, 0.9f}, in(r, 0.2, 1));
        double grid = log(r, 5, 18);
        double width = grid * in(r, 0.12, 0.32);
        int count = 6 + r.nextInt(16);
        for (int i = 0; i < count; i++) {
            double x = Math.rint(in(r, 0, side) / grid) * grid;
            double y = Math.rint(in(r, 0, side) / grid) * grid;
            int direction = r.nextInt(4) * 2;
            int steps = 2 + r.nextInt(4);
            canvas.fill(Canvas.ellipse(x, y, width * 2.2, width * 2.2, 0), x, y, width * 2.2, pad, 1, 1);
            for (int k = 0; k < steps; k++) {
                double length = grid * (1 + r.nextInt(6));
                double nx = x + Math.rint(Math.cos(direction * Math.PI / 4)) * length;
                double ny = y + Math.rint(Math.sin(direction * Math.PI / 4)) * length;
                canvas.line(x, y, nx, ny, width, copper, 1);
                x = nx;
                y = ny;
                direction += r.nextInt(3) - 1;
            }
            canvas.fill(Canvas.ellipse(x, y, width * 2.2, width * 2.2, 0), x, y, width * 2.2, pad, 1, 1);
            canvas.fill(Canvas.ellipse(x, y, width, width, 0), x, y, width, new float[] {0.05f, 0.05f, 0.05f}, 1, 1);
        }
        if (r.nextBoolean()) {
            double x = in(r, 0, side);
            double y = in(r, 0, side);
            double half = in(r, 12, 40);
            int legs = (int) (2 * half / grid);
            for (int i = 0; i < legs; i++) {
                double at = x - half + (i + 0.5) * grid;
                canvas.fill(Canvas.box(at, y, grid * 0.25, half * 0.8, 1, 0), at, y, half, pad, 1, 1);
            }
            canvas.fill(Canvas.box(x, y, half, half * 0.6, 2, 0), x, y, half, new float[] {0.1f, 0.1f, 0.11f}, 1, 1);
        }
        return canvas;
    }

    private static Canvas solar(SplittableRandom r, int side) {
        Canvas canvas = new Canvas(side);
        float[] field = Canvas.noise(r, side, log(r, 0.008, 0.05), log(r, 0.008, 0.05), in(r, 0, 3.2), 3, 0.6);
        float v = (float) in(r, 0.2, 0.8);
        float[] a = r.nextBoolean() ? new float[] {v, v, v} : new float[] {v * 0.3f, v * 0.4f, v};
        canvas.colour(field, mix(a, new float[3], in(r, 0.05, 0.6)), a);
        double fingers = log(r, 3, 12);
        float[] line = against(r, a);
        for (double x = in(r, 0, fingers); x < side; x += fingers)
            canvas.line(x, 0, x, side, 0.4, line, in(r, 0.1, 0.4));
        double bars = log(r, 30, 90);
        double half = in(r, 0.8, 3.5);
        for (double y = in(r, 0, bars); y < side; y += bars) canvas.line(-5, y, side + 5, y, half, line, 0.95);
        if (r.nextBoolean()) {
            double edge = in(r, 0, side);
            canvas.line(edge, -5, edge, side + 5, in(r, 1, 5), mix(a, new float[3], 0.9), 1);
        }
        return canvas;
    }

    private static Canvas threads(SplittableRandom r, int side) {
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

    private static Canvas turned(SplittableRandom r, int side) {
        Canvas canvas = new Canvas(side);
        double cx = in(r, -0.3, 1.3) * side;
        double cy = in(r, -0.3, 1.3) * side;
        int salt = r.nextInt();
        double f = log(r, 0.1, 0.9);
        double lobes = r.nextInt(3);
        double turn = in(r, 0, 6.3);
        double w = in(r, 0.2, 0.7);
        float[] steps = new float[12];
        for (int i = 0; i < steps.length; i++) steps[i] = (float) r.nextDouble();
        double ring = log(r, 8, 60);
        double mixed = r.nextBoolean() ? 0 : in(r, 0.2, 0.8);
        float[] field = new float[side * side];
        for (int y = 0; y < side; y++) {
            for (int x = 0; x < side; x++) {
                double dx = x - cx;
                double dy = y - cy;
                double d = Math.sqrt(dx * dx + dy * dy);
                int k = (int) (d * f);
                double t = d * f - k;
                double groove = Canvas.hash(k, 0, salt) * (1 - t) + Canvas.hash(k + 1, 0, salt) * t;
                double light = 0.5 + 0.5 * Math.cos(2 * lobes * (Math.atan2(dy, dx) - turn));
                double base = w * groove + (1 - w) * light;
                field[y * side + x] = (float) ((1 - mixed) * base + mixed * steps[(int) (d / ring) % steps.length]);
            }
        }
        float[] a = colour(r);
        canvas.colour(field, a, against(r, a));
        return canvas;
    }

    /** An object cut out of one scene, laid on another with a shadow. */
    private static Canvas compose(SplittableRandom r, Canvas object, Canvas ground) {
        int side = object.side;
        double x = in(r, 0.1, 0.9) * side;
        double y = in(r, 0.1, 0.9) * side;
        double size = log(r, side * 0.2, side * 0.8);
        double angle = in(r, 0, 6.3);
        double aspect = in(r, 0.3, 1);
        int kind = r.nextInt(4);
        int salt = r.nextInt(8);
        Canvas.Shape shape = shape(kind, x, y, size, aspect, angle, salt);
        double dx = in(r, -6, 6);
        double dy = in(r, -6, 6);
        ground.fill(
                shape(kind, x + dx, y + dy, size, aspect, angle, salt),
                side / 2.0,
                side / 2.0,
                side,
                new float[3],
                in(r, 0, 0.7),
                in(r, 2, 16));
        float[] colour = new float[3];
        for (int v = 0; v < side; v++) {
            for (int u = 0; u < side; u++) {
                int i = v * side + u;
                double a = Math.max(0, Math.min(1, 0.5 - shape.distance(u, v)));
                if (a == 0) continue;
                for (int c = 0; c < 3; c++) colour[c] = object.rgb[c][i];
                ground.blend(i, colour, (float) a);
            }
        }
        return ground;
    }

    /** Cracks, scratches, stains and dents on top. */
    static void marks(SplittableRandom r, Canvas canvas) {
        int side = canvas.side;
        int count = 1 + r.nextInt(4);
        for (int i = 0; i < count; i++) {
            double x = in(r, 0, side);
            double y = in(r, 0, side);
            float[] colour =
                    r.nextInt(3) == 0 ? colour(r) : new float[] {r.nextBoolean() ? 0.95f : 0.05f, 0.05f, 0.05f};
            if (colour[1] == 0.05f) colour = new float[] {colour[0], colour[0], colour[0]};
            double opacity = in(r, 0.15, 1);
            switch (r.nextInt(4)) {
                case 0 -> {
                    double angle = in(r, 0, 6.3);
                    double width = in(r, 0.4, 1.5);
                    int steps = 5 + r.nextInt(20);
                    for (int k = 0; k < steps; k++) {
                        double nx = x + Math.cos(angle) * 6;
                        double ny = y + Math.sin(angle) * 6;
                        canvas.line(x, y, nx, ny, width, colour, opacity);
                        x = nx;
                        y = ny;
                        angle += in(r, -0.8, 0.8);
                    }
                }
                case 1 -> {
                    double angle = in(r, 0, 6.3);
                    double length = log(r, 8, side);
                    int lines = 1 + r.nextInt(4);
                    for (int k = 0; k < lines; k++) {
                        double ox = in(r, -5, 5);
                        double oy = in(r, -5, 5);
                        canvas.line(
                                x + ox,
                                y + oy,
                                x + ox + Math.cos(angle) * length,
                                y + oy + Math.sin(angle) * length,
                                in(r, 0.3, 1.2),
                                colour,
                                opacity);
                    }
                }
                case 2 -> {
                    double size = log(r, 3, 35);
                    float[] ragged = Canvas.noise(r, side, 0.08, 0.08, 0, 2, 0.6);
                    Canvas.Shape blob = Canvas.ellipse(x, y, size, size * in(r, 0.4, 1), in(r, 0, 3.2));
                    double rough = size * in(r, 0, 0.8);
                    canvas.fill(
                            (u, v) -> blob.distance(u, v) + rough * (ragged[(int) v * side + (int) u] - 0.5),
                            x,
                            y,
                            size * 1.5,
                            colour,
                            opacity,
                            in(r, 1, 6));
                }
                default -> {
                    double size = log(r, 2, 12);
                    double angle = in(r, 0, 6.3);
                    double dx = Math.cos(angle) * size * 0.3;
                    double dy = Math.sin(angle) * size * 0.3;
                    canvas.fill(
                            Canvas.ellipse(x - dx, y - dy, size, size, 0),
                            x,
                            y,
                            size * 2,
                            new float[] {1, 1, 1},
                            opacity * 0.6,
                            size);
                    canvas.fill(
                            Canvas.ellipse(x + dx, y + dy, size, size, 0),
                            x,
                            y,
                            size * 2,
                            new float[3],
                            opacity * 0.6,
                            size);
                }
            }
        }
    }
}

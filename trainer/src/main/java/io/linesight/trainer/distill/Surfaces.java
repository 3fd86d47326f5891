package io.linesight.trainer.distill;

import static io.linesight.trainer.distill.Palette.against;
import static io.linesight.trainer.distill.Palette.colour;
import static io.linesight.trainer.distill.Palette.in;
import static io.linesight.trainer.distill.Palette.log;
import static io.linesight.trainer.distill.Palette.mix;

import java.util.SplittableRandom;

/** Surfaces without parts on them: metal, wood, stone, cloth, leather. Stateless. */
final class Surfaces {
    private Surfaces() {}

    /** A nearly even ground with a soft gradient of light. */
    static Canvas plain(SplittableRandom r, int side) {
        Canvas canvas = new Canvas(side);
        float[] a = colour(r);
        float[] field = Canvas.noise(r, side, log(r, 0.003, 0.02), log(r, 0.003, 0.02), in(r, 0, 3.2), 1, 0.5);
        canvas.colour(field, a, mix(a, colour(r), in(r, 0, 0.3)));
        return canvas;
    }

    static Canvas fractal(SplittableRandom r, int side) {
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

    static Canvas cells(SplittableRandom r, int side) {
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
                findCell(u, v, jitter, salt, y * side + x, tone, edge);
            }
        }
        colourCells(r, canvas, tone, edge, size);
        return canvas;
    }

    /** Tone of the cell whose centre is nearest to (u, v), and how much farther the second nearest is. */
    private static void findCell(double u, double v, double jitter, int salt, int at, float[] tone, float[] edge) {
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
                    tone[at] = (float) Canvas.hash(iu + i, iv + j, salt + 2);
                } else if (d < second) {
                    second = d;
                }
            }
        }
        edge[at] = (float) (Math.sqrt(second) - Math.sqrt(first));
    }

    private static void colourCells(SplittableRandom r, Canvas canvas, float[] tone, float[] edge, double size) {
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
    }

    static Canvas brushed(SplittableRandom r, int side) {
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

    static Canvas fabric(SplittableRandom r, int side) {
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
                field[i] = (float) weave(kind, u, v, sharp, twill);
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

    /** Brightness -1..1 at (u, v), in periods of the pattern: a grating, a weave, or a grid of one of three kinds. */
    private static double weave(int kind, double u, double v, double sharp, int twill) {
        double wu = Math.sin(2 * Math.PI * u);
        double wv = Math.sin(2 * Math.PI * v);
        return switch (kind) {
            case 0 -> Math.tanh(sharp * wu);
            case 1 -> {
                // A thread lies over the other where the pattern of the weave says so; its roundness is its brightness.
                boolean over = Math.floorMod(
                                (int) Math.floor(2 * u) + (int) Math.floor(2 * v) * twill, 2 + (twill > 1 ? 1 : 0))
                        == 0;
                yield over
                        ? Math.abs(Math.sin(2 * Math.PI * u)) * 2 - 1
                        : Math.abs(Math.sin(2 * Math.PI * v)) * 1.6 - 1;
            }
            case 2 -> Math.tanh(sharp * (wu + wv) / 2);
            case 3 -> Math.tanh(sharp * Math.max(Math.abs(wu), Math.abs(wv)) - sharp / 2);
            default ->
                Math.tanh(sharp * (Math.abs(Math.sin(Math.PI * (u + v))) - Math.abs(Math.sin(Math.PI * (u - v)))));
        };
    }

    static Canvas wood(SplittableRandom r, int side) {
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

    static Canvas concrete(SplittableRandom r, int side) {
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

    static Canvas turned(SplittableRandom r, int side) {
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
}

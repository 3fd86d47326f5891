package io.linesight.trainer.distill;

import static io.linesight.trainer.distill.Palette.against;
import static io.linesight.trainer.distill.Palette.colour;
import static io.linesight.trainer.distill.Palette.in;
import static io.linesight.trainer.distill.Palette.log;
import static io.linesight.trainer.distill.Palette.mix;
import static io.linesight.trainer.distill.Surfaces.fractal;
import static io.linesight.trainer.distill.Surfaces.plain;

import java.util.SplittableRandom;

/** Solder joints, circuit boards and solar cells. Stateless. */
final class Electronics {
    private Electronics() {}

    static Canvas solder(SplittableRandom r, int side) {
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
                joint(r, canvas, x, y, radius, aspect, lx, ly, pad);
            }
        }
        return canvas;
    }

    /** A pad, the solder on it, its sheen and the highlight of a light at (lx, ly) radii from the middle. */
    private static void joint(
            SplittableRandom r,
            Canvas canvas,
            double x,
            double y,
            double radius,
            double aspect,
            double lx,
            double ly,
            float[] pad) {
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
                Canvas.ellipse(x + lx * radius * 1.3, y + ly * radius * 1.3, radius * 0.25, radius * 0.18, in(r, 0, 3)),
                x,
                y,
                radius * 1.5,
                new float[] {1, 1, 1},
                1,
                radius * 0.2 + 0.5);
    }

    static Canvas traces(SplittableRandom r, int side) {
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
        for (int i = 0; i < count; i++) trace(r, canvas, grid, width, copper, pad);
        if (r.nextBoolean()) chip(r, canvas, grid, pad);
        return canvas;
    }

    /** A conductor from a pad to a plated hole, in steps along the grid and its diagonals. */
    private static void trace(
            SplittableRandom r, Canvas canvas, double grid, double width, float[] copper, float[] pad) {
        int side = canvas.side;
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

    private static void chip(SplittableRandom r, Canvas canvas, double grid, float[] pad) {
        int side = canvas.side;
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

    static Canvas solar(SplittableRandom r, int side) {
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
}

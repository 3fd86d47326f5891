package io.linesight.trainer.distill;

import static io.linesight.trainer.distill.Palette.colour;
import static io.linesight.trainer.distill.Palette.in;
import static io.linesight.trainer.distill.Palette.log;

import java.util.SplittableRandom;

/** Cracks, scratches, stains and dents on top of a scene. Stateless. */
final class Marks {
    private Marks() {}

    /** One to four marks at random places. */
    static void add(SplittableRandom r, Canvas canvas) {
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
                case 0 -> crack(r, canvas, x, y, colour, opacity);
                case 1 -> scratches(r, canvas, x, y, colour, opacity);
                case 2 -> stain(r, canvas, x, y, colour, opacity);
                default -> dent(r, canvas, x, y, opacity);
            }
        }
    }

    private static void crack(SplittableRandom r, Canvas canvas, double x, double y, float[] colour, double opacity) {
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

    private static void scratches(
            SplittableRandom r, Canvas canvas, double x, double y, float[] colour, double opacity) {
        int side = canvas.side;
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

    private static void stain(SplittableRandom r, Canvas canvas, double x, double y, float[] colour, double opacity) {
        int side = canvas.side;
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

    private static void dent(SplittableRandom r, Canvas canvas, double x, double y, double opacity) {
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
        canvas.fill(Canvas.ellipse(x + dx, y + dy, size, size, 0), x, y, size * 2, new float[3], opacity * 0.6, size);
    }
}

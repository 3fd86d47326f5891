package io.linesight.trainer.distill;

import static io.linesight.trainer.distill.Palette.in;
import static io.linesight.trainer.distill.Palette.log;

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
            new Named("fractal noise", Surfaces::fractal),
            new Named("cells and leather", Surfaces::cells),
            new Named("brushed metal", Surfaces::brushed),
            new Named("gratings and fabric", Surfaces::fabric),
            new Named("perforated plates", Parts::holes),
            new Named("print and barcodes", Parts::print),
            new Named("polygons and ellipses with shadows", Parts::shapes),
            new Named("wood grain", Surfaces::wood),
            new Named("concrete and granulate", Surfaces::concrete),
            new Named("solder joints", Electronics::solder),
            new Named("circuit board traces", Electronics::traces),
            new Named("solar cells", Electronics::solar),
            new Named("threads and springs", Parts::threads),
            new Named("turned parts", Surfaces::turned));

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
            canvas = compose(
                    r, canvas, r.nextBoolean() ? family(r, r.nextInt(FAMILIES.size()), side) : Surfaces.plain(r, side));
        if (r.nextDouble() < 0.5) Marks.add(r, canvas);
        return canvas;
    }

    static Canvas family(SplittableRandom r, int family, int side) {
        return FAMILIES.get(family).family().paint(r, side);
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
        Canvas.Shape shape = Parts.shape(kind, x, y, size, aspect, angle, salt);
        double dx = in(r, -6, 6);
        double dy = in(r, -6, 6);
        ground.fill(
                Parts.shape(kind, x + dx, y + dy, size, aspect, angle, salt),
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
}

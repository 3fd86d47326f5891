package io.linesight.simulator;

import java.util.SplittableRandom;

/** A small circuit board: traces, pads, a chip, passives, plated holes, printed labels. */
final class Board extends Product {
    private static final int CHIP = 3;
    private static final int METAL = 2;
    private static final double[][] PASSIVES = {
        {-105, -62, 0, 0},
        {-105, -38, 0, 0},
        {-105, -14, 0, 1},
        {-105, 30, 0, 1},
        {-70, 78, 1, 0},
        {-40, 78, 1, 0},
        {70, -70, 1, 1},
        {98, -70, 1, 1},
        {104, -20, 0, 0},
        {104, 8, 0, 0},
        {20, 78, 1, 0}
    };

    Board() {
        super(
                "board",
                "missing_part",
                "shifted_part",
                "solder_bridge",
                "scratch",
                "flux_stain",
                "broken_trace",
                "wrong_print");
        plate();
        traces();
        chip();
        for (int k = 0; k < PASSIVES.length; k++) passive("part" + k, PASSIVES[k]);
        capacitor();
        finish(0.44, 0.45, 0.47, 0.03, 0.8);
        tile = Noise.fractal(202, 4, 3, 0.8f);
        textureColour = 0.03f;
        textureHeight = 0.10f;
    }

    private void plate() {
        stamps.add(Stamp.box("shadow", 4, 5, 274, 214, 12)
                .colour(0.1, 0.1, 0.11)
                .surface(0, 0, 0.6)
                .soft(12, 0.7));
        stamps.add(Stamp.box("body", 0, 0, 270, 210, 9)
                .colour(0.06, 0.31, 0.17)
                .surface(BODY, 0.28, 1)
                .raised(4, 3));
        double[][] holes = {{-122, -92}, {122, -92}, {-122, 92}, {122, 92}};
        for (double[] h : holes) {
            stamps.add(Stamp.circle("mount", h[0], h[1], 9)
                    .colour(0.72, 0.6, 0.3)
                    .surface(METAL, 0.7, 0.4)
                    .raised(0.6, 1));
            stamps.add(Stamp.circle("mount", h[0], h[1], 5)
                    .colour(0.12, 0.12, 0.13)
                    .surface(METAL, 0, 0.3)
                    .raised(-3, 2));
        }
    }

    private void chip() {
        for (int k = 0; k < 8; k++) {
            double p = -31.5 + 9 * k;
            pin("chip", 0 + p, -46, 5, 11);
            pin("chip", 0 + p, 46, 5, 11);
            pin("chip", -46, p, 11, 5);
            pin("chip", 46, p, 11, 5);
        }
        stamps.add(Stamp.box("chip", 2.5, 3, 84, 84, 3)
                .colour(0.02, 0.09, 0.05)
                .surface(BODY, 0.1, 0.5)
                .soft(5, 0.6));
        stamps.add(Stamp.box("chip", 0, 0, 80, 80, 2.5)
                .colour(0.085, 0.088, 0.095)
                .surface(CHIP, 0.22, 1.3)
                .raised(6, 2.5));
        stamps.add(Stamp.circle("chip", -30, -30, 3.5)
                .colour(0.05, 0.05, 0.055)
                .surface(CHIP, 0.1, 0.4)
                .raised(-1, 1.5));
        Glyphs.text(stamps, "print", "80251", -24, -4, 6, s -> s.colour(0.55, 0.56, 0.57)
                .surface(0, 0.1, 0.6)
                .soft(1.2, 0.85));
        Glyphs.text(stamps, "print2", "4403", -20, 16, 4.5, s -> s.colour(0.5, 0.51, 0.52)
                .surface(0, 0.1, 0.6)
                .soft(1.2, 0.8));
    }

    private void capacitor() {
        stamps.add(Stamp.circle("cap", 90, 52, 23)
                .colour(0.02, 0.1, 0.06)
                .surface(BODY, 0.1, 0.5)
                .soft(8, 0.6));
        stamps.add(Stamp.circle("cap", 88, 50, 19)
                .colour(0.6, 0.61, 0.63)
                .surface(4, 0.6, 0.5)
                .raised(8, 5));
        stamps.add(Stamp.circle("cap", 88, 50, 14)
                .colour(0.66, 0.67, 0.69)
                .surface(4, 0.5, 0.6)
                .raised(-1, 2));
        stamps.add(Stamp.box("cap", 88, 41, 24, 6, 1)
                .colour(0.12, 0.12, 0.15)
                .surface(4, 0.3, 0.5)
                .soft(1, 0.9));
    }

    private void traces() {
        String g = "trace";
        int k = 0;
        for (int i = 0; i < 8; i++) {
            double p = -31.5 + 9 * i;
            // left side fans out to the passives' column
            bend(g + k++, -52, p, -76, p, -98, p * 1.55 - (i < 4 ? 8 : -8));
            bend(g + k++, 52, p, 66 + 2 * i, p, 92, p * 1.3 - 12);
            bend(g + k++, p, 52, p, 60 + 1.2 * i, p * 1.6 - 8, 74);
            bend(g + k++, p, -52, p, -64, p * 2.1, -86);
        }
        for (int i = 0; i < 8; i++) {
            double x = (-31.5 + 9 * i) * 2.1;
            stamps.add(Stamp.circle("via" + i, x, -88, 3.4)
                    .colour(0.66, 0.56, 0.3)
                    .surface(METAL, 0.7, 0.3)
                    .raised(0.6, 1));
            stamps.add(Stamp.circle("via" + i, x, -88, 1.5)
                    .colour(0.05, 0.06, 0.05)
                    .surface(METAL, 0, 0.2)
                    .raised(-1, 1));
        }
        stamps.add(Stamp.line("bus", -118, 60, -118, -70, 5)
                .colour(0.10, 0.40, 0.22)
                .surface(BODY, 0.3, 0.8)
                .raised(0.7, 1.2));
        stamps.add(Stamp.line("bus2", -60, 95, 70, 95, 5)
                .colour(0.10, 0.40, 0.22)
                .surface(BODY, 0.3, 0.8)
                .raised(0.7, 1.2));
    }

    private void bend(String group, double ax, double ay, double bx, double by, double cx, double cy) {
        for (double[] l : new double[][] {{ax, ay, bx, by}, {bx, by, cx, cy}}) {
            stamps.add(Stamp.line(group, l[0], l[1], l[2], l[3], 2.6)
                    .colour(0.11, 0.42, 0.23)
                    .surface(BODY, 0.3, 0.8)
                    .raised(0.7, 1.2));
        }
    }

    private void pin(String group, double x, double y, double w, double h) {
        stamps.add(Stamp.box(group, x, y, w + 2, h + 2, 1)
                .colour(0.7, 0.6, 0.36)
                .surface(METAL, 0.5, 0.4)
                .raised(0.5, 1));
        stamps.add(Stamp.box(group, x, y, w - 1, h - 1, 1.5)
                .colour(0.72, 0.73, 0.75)
                .surface(METAL, 0.8, 0.5)
                .raised(1.6, 1.6));
    }

    private void passive(String group, double[] p) {
        boolean upright = p[2] > 0;
        boolean tan = p[3] > 0;
        double w = upright ? 12 : 23;
        double h = upright ? 23 : 12;
        // Pads belong to the board: they stay when the part is missing.
        double ox = upright ? 0 : 9;
        double oy = upright ? 9 : 0;
        for (int side = -1; side <= 1; side += 2) {
            stamps.add(Stamp.box("pads", p[0] + side * ox, p[1] + side * oy, 13, 13, 1.5)
                    .colour(0.68, 0.58, 0.34)
                    .surface(METAL, 0.5, 0.4)
                    .raised(0.5, 1));
        }
        stamps.add(Stamp.box(group, p[0] + 1.5, p[1] + 2, w + 3, h + 3, 2)
                .colour(0.03, 0.13, 0.08)
                .surface(METAL, 0.1, 0.4)
                .soft(4, 0.5));
        stamps.add(Stamp.box(group, p[0], p[1], w, h, 1.5)
                .colour(0.78, 0.78, 0.79)
                .surface(METAL, 0.7, 0.5)
                .raised(4, 2));
        double bw = upright ? w : w - 10;
        double bh = upright ? h - 10 : h;
        Stamp body = Stamp.box(group, p[0], p[1], bw, bh, 1);
        stamps.add((tan ? body.colour(0.55, 0.40, 0.26) : body.colour(0.1, 0.1, 0.11))
                .surface(CHIP, 0.2, 1)
                .raised(0.5, 1));
    }

    @Override
    void damage(String kind, Scene s, Scene clean, Scene.Pose pose, SplittableRandom random, Placer placer) {
        switch (kind) {
            case "missing_part" -> {
                int k = random.nextInt(PASSIVES.length + 1);
                placer.place(s, altered(k == PASSIVES.length ? "cap" : "part" + k, null));
                s.markDifference(clean);
            }
            case "shifted_part" -> {
                shiftPart(s, random, placer);
                s.markDifference(clean);
            }
            case "solder_bridge" -> bridgePins(s, pose, random);
            case "scratch" -> Damage.scratch(s, random, Damage.spot(s, random, 60, BODY), 35, 80, 0.2);
            case "flux_stain" ->
                Damage.stain(s, random, Damage.spot(s, random, 60, BODY, METAL), 11, 22, 0.62, 0.60, 0.45, 0.5);
            case "broken_trace" -> {
                int[] at = Damage.spot(s, random, 70, BODY);
                Damage.crack(s, random, at, 45, 0.25);
            }
            case "wrong_print" -> {
                tiltPrint(s, random, placer);
                s.markDifference(clean);
            }
            default -> throw new IllegalArgumentException("a " + name + " has no defect '" + kind + "'");
        }
    }

    private void shiftPart(Scene s, SplittableRandom random, Placer placer) {
        int k = random.nextInt(PASSIVES.length);
        double[] p = PASSIVES[k];
        float angle = Damage.between(random, 0.3, 0.8) * (random.nextBoolean() ? 1 : -1);
        float dx = Damage.between(random, -5, 5);
        float dy = Damage.between(random, -5, 5);
        placer.place(s, altered("part" + k, st -> st.moved(dx, dy, angle, (float) p[0], (float) p[1])));
    }

    private void tiltPrint(Scene s, SplittableRandom random, Placer placer) {
        float angle = Damage.between(random, 0.12, 0.3) * (random.nextBoolean() ? 1 : -1);
        float dy = Damage.between(random, 5, 9);
        placer.place(
                s,
                altered(
                        "print",
                        st -> st.moved(
                                Damage.between(new SplittableRandom(st.group.hashCode()), -3, 3), -dy, angle, 0, 0)));
    }

    /** A blob of solder between two neighbouring pins of the chip. */
    private static void bridgePins(Scene s, Scene.Pose pose, SplittableRandom random) {
        int k = random.nextInt(7);
        double p = -27 + 9 * k;
        int sideOf = random.nextInt(4);
        double x = sideOf == 0 ? -47 : sideOf == 1 ? 47 : p;
        double y = sideOf == 2 ? -47 : sideOf == 3 ? 47 : p;
        int[] at = inFrame(s, pose, x, y);
        Damage.blob(s, at[0], at[1], Damage.between(random, 6, 8.5), 1.3f, 0.3f, 0.5f, random, (i, a) -> {
            float e = Math.min(1, 2 * a);
            s.red[i] += e * (0.74f - s.red[i]);
            s.green[i] += e * (0.75f - s.green[i]);
            s.blue[i] += e * (0.77f - s.blue[i]);
            s.gloss[i] += e * (0.9f - s.gloss[i]);
            s.height[i] += 3.5f * a;
            if (a > 0.2f) s.mask[i] = 1;
        });
    }
}

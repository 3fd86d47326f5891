package io.linesight.simulator;

import java.util.SplittableRandom;

/** A blister of twelve scored tablets in embossed foil. */
final class Blister extends Product {
    private static final int PILL = 2;
    private static final int CAVITY = 3;
    private static final double[] COLUMNS = {-90, -30, 30, 90};
    private static final double[] ROWS = {-62, 0, 62};

    Blister() {
        super(
                "blister",
                "missing_pill",
                "broken_pill",
                "discoloured_pill",
                "foreign_particle",
                "torn_foil",
                "dented_foil");
        stamps.add(Stamp.box("shadow", 3, 4, 262, 206, 16)
                .colour(0.05, 0.06, 0.08)
                .surface(0, 0, 0.5)
                .soft(10, 0.7));
        stamps.add(Stamp.box("body", 0, 0, 260, 204, 14)
                .colour(0.63, 0.64, 0.66)
                .surface(BODY, 0.45, 1)
                .raised(3, 3));
        for (int r = 0; r < 3; r++) {
            for (int c = 0; c < 4; c++) {
                cavity(COLUMNS[c], ROWS[r]);
                pill("pill" + (r * 4 + c), COLUMNS[c], ROWS[r]);
            }
        }
        Glyphs.text(stamps, "lot", "2604", -22, 29, 4, s -> s.colour(0.3, 0.31, 0.34)
                .surface(0, 0.2, 0.8)
                .soft(1, 0.8));
        finish(0.17, 0.20, 0.26, 0.04, 0.8);
        tile = Noise.fractal(303, 4, 3, 0.8f);
        textureColour = 0.03f;
        textureHeight = 0.10f;
    }

    private void cavity(double x, double y) {
        stamps.add(Stamp.circle("cavity", x, y, 27)
                .colour(0.70, 0.71, 0.73)
                .surface(CAVITY, 0.75, 0.2)
                .raised(4, 3));
        stamps.add(Stamp.circle("cavity", x, y, 24)
                .colour(0.50, 0.51, 0.53)
                .surface(CAVITY, 0.6, 0.25)
                .raised(-3.5, 3));
    }

    private void pill(String group, double x, double y) {
        stamps.add(Stamp.circle(group, x + 1.5, y + 2, 22)
                .colour(0.26, 0.24, 0.23)
                .surface(CAVITY, 0.1, 0.2)
                .soft(5, 0.7));
        stamps.add(Stamp.circle(group, x, y, 20.5)
                .colour(0.86, 0.56, 0.40)
                .surface(PILL, 0.22, 0.55)
                .domed(9, 11));
        stamps.add(Stamp.line(group, x - 15, y, x + 15, y, 2.2)
                .colour(0.66, 0.40, 0.27)
                .surface(PILL, 0.1, 0.5)
                .raised(-1.8, 1.1)
                .soft(1.5, 0.7));
    }

    /** Embossed diamonds of the foil. */
    @Override
    void detail(Layer layer, Layer.Area area) {
        float c = layer.side / 2f - 0.5f;
        for (int y = area.y0(); y < area.y1(); y++) {
            for (int x = area.x0(); x < area.x1(); x++) {
                int i = y * layer.side + x;
                if (layer.material[i] != BODY) continue;
                double a = Math.sin((x - c + y - c) * Math.PI / 7) * Math.sin((x - c - y + c) * Math.PI / 7);
                layer.data[i * Layer.CHANNELS + 3] += (float) (0.5 * a);
            }
        }
    }

    @Override
    void damage(String kind, Scene s, Scene clean, Scene.Pose pose, SplittableRandom random, Placer placer) {
        int k = random.nextInt(12);
        double px = COLUMNS[k % 4];
        double py = ROWS[k / 4];
        switch (kind) {
            case "missing_pill" -> {
                placer.place(s, altered("pill" + k, null));
                s.markDifference(clean);
            }
            case "broken_pill" -> breakPill(s, pose, random, px, py);
            case "discoloured_pill" -> discolourPill(s, pose, random, px, py);
            case "foreign_particle" -> {
                int[] spot = Damage.spot(s, random, 65, BODY, PILL);
                if (random.nextBoolean()) Damage.fibre(s, random, spot, 0.1, 0.09, 0.08);
                else Damage.particles(s, random, spot, 0.12, 0.14, 0.12, 3);
            }
            case "torn_foil" -> Damage.crack(s, random, Damage.spot(s, random, 65, BODY), 55, 0.2);
            case "dented_foil" -> Damage.dent(s, random, Damage.spot(s, random, 65, BODY), 10, 18, 7);
            default -> throw new IllegalArgumentException("a " + name + " has no defect '" + kind + "'");
        }
    }

    private static void breakPill(Scene s, Scene.Pose pose, SplittableRandom random, double px, double py) {
        double a = random.nextDouble() * 2 * Math.PI;
        int[] p = inFrame(s, pose, px + 17 * Math.cos(a), py + 17 * Math.sin(a));
        cut(s, random, p, Damage.between(random, 8, 12));
        if (random.nextBoolean()) {
            int[] beside = inFrame(s, pose, px + 30 * Math.cos(a), py + 30 * Math.sin(a));
            Damage.particles(s, random, beside, 0.82, 0.55, 0.4, 2);
        }
    }

    private static void discolourPill(Scene s, Scene.Pose pose, SplittableRandom random, double px, double py) {
        int[] p = inFrame(s, pose, px + Damage.between(random, -7, 7), py + Damage.between(random, -7, 7));
        boolean dark = random.nextBoolean();
        Damage.blob(s, p[0], p[1], Damage.between(random, 7, 13), 1.3f, 0.4f, 0.5f, random, (i, a) -> {
            if (s.material[i] != PILL) return;
            float e = 0.6f * a;
            s.red[i] += e * ((dark ? 0.42f : 0.95f) - s.red[i]);
            s.green[i] += e * ((dark ? 0.26f : 0.88f) - s.green[i]);
            s.blue[i] += e * ((dark ? 0.18f : 0.80f) - s.blue[i]);
            if (a > 0.3f) s.mask[i] = 1;
        });
    }

    private static void cut(Scene s, SplittableRandom random, int[] p, float radius) {
        Damage.blob(s, p[0], p[1], radius, 1.4f, 0.5f, 0.12f, random, (i, a) -> {
            if (s.material[i] != PILL) return;
            s.red[i] += a * (0.48f - s.red[i]);
            s.green[i] += a * (0.48f - s.green[i]);
            s.blue[i] += a * (0.49f - s.blue[i]);
            s.height[i] -= 6 * a;
            s.gloss[i] += a * (0.5f - s.gloss[i]);
            if (a > 0.3f) s.mask[i] = 1;
        });
    }
}

package io.linesight.simulator;

import java.util.SplittableRandom;

/** A turned steel disc with a bore, six bolt holes, a seal groove and an engraved mark. */
final class Flange extends Product {
    private static final double RADIUS = 134;
    private static final double BOLTS = 104;

    Flange() {
        super("flange", "scratch", "dent", "missing_hole", "rust", "swarf", "broken_edge");
        disc();
        hole("bore", 0, 0, 30);
        for (int k = 0; k < 6; k++) {
            double a = Math.toRadians(60 * k + 15);
            hole("hole" + k, BOLTS * Math.cos(a), BOLTS * Math.sin(a), 12);
        }
        Glyphs.text(stamps, "mark", "5417", 102, -75, 0.52, 10, 2.0, s -> s.colour(0.22, 0.22, 0.24)
                .surface(BODY, 0.1, 0.3)
                .raised(-1.5, 1)
                .soft(1.2, 0.85));
        finish(0.15, 0.17, 0.19, 0.05, 0.9);
        wrapTextureRound();
        tile = Noise.brushed(101, 24);
        textureColour = 0.055f;
        textureHeight = 0.035f;
        maxShift = 5;
    }

    private void disc() {
        stamps.add(Stamp.circle("shadow", 5, 6, RADIUS + 2)
                .colour(0.04, 0.045, 0.05)
                .surface(0, 0, 0.5)
                .soft(14, 0.75));
        stamps.add(Stamp.circle("body", 0, 0, RADIUS)
                .colour(0.66, 0.67, 0.69)
                .surface(BODY, 0.5, 1)
                .raised(7, 7)
                .tinted((x, y) -> sheen(x, y)));
        stamps.add(Stamp.ring("step", 0, 0, 66, 2)
                .colour(0.5, 0.51, 0.53)
                .surface(BODY, 0.4, 0.8)
                .soft(2, 0.6));
        stamps.add(Stamp.ring("groove", 0, 0, 74, 7)
                .colour(0.42, 0.43, 0.45)
                .surface(BODY, 0.2, 1)
                .raised(-5, 2.5)
                .tinted((x, y) -> sheen(x, y)));
        stamps.add(Stamp.circle("hub", 0, 0, 58)
                .colour(0.7, 0.71, 0.73)
                .surface(BODY, 0.55, 0.8)
                .raised(3, 4)
                .tinted((x, y) -> sheen(x, y)));
    }

    /** Turning marks run in circles: the texture is read by angle and radius. */
    private void wrapTextureRound() {
        int n = base.side;
        float c = n / 2f - 0.5f;
        for (int y = 0; y < n; y++) {
            for (int x = 0; x < n; x++) {
                double r = Math.hypot(x - c, y - c);
                if (r > RADIUS) continue;
                base.u[y * n + x] = (short) ((Math.atan2(y - c, x - c) + Math.PI) / (2 * Math.PI) * 512);
                base.v[y * n + x] = (short) (r * 1.25 + 7);
            }
        }
    }

    private static float sheen(float x, float y) {
        double theta = Math.atan2(y, x);
        return (float) (1 + 0.11 * Math.cos(2 * (theta + 0.8)) + 0.05 * Math.cos(4 * (theta + 0.8)));
    }

    private void hole(String group, double x, double y, double r) {
        stamps.add(Stamp.ring(group, x, y, r + 1.5, 4)
                .colour(0.8, 0.81, 0.83)
                .surface(BODY, 0.6, 0.3)
                .raised(-2, 2)
                .soft(1.5, 0.8));
        stamps.add(Stamp.circle(group, x, y, r)
                .colour(0.06, 0.065, 0.07)
                .surface(2, 0.02, 0.15)
                .raised(-8, 3));
        stamps.add(Stamp.circle(group, x + r * 0.18, y + r * 0.22, r * 0.7)
                .colour(0.11, 0.12, 0.13)
                .surface(2, 0.02, 0.15)
                .soft(5, 0.8));
    }

    @Override
    void damage(String kind, Scene s, Scene clean, Scene.Pose pose, SplittableRandom random, Placer placer) {
        int[] spot = Damage.spot(s, random, 30, BODY);
        switch (kind) {
            case "scratch" -> Damage.scratch(s, random, spot, 35, 90, 0.16);
            case "dent" -> Damage.dent(s, random, spot, 9, 18, 6);
            case "missing_hole" -> {
                placer.place(s, altered("hole" + random.nextInt(6), null));
                s.markDifference(clean);
            }
            case "rust" -> Damage.stain(s, random, spot, 9, 22, 0.40, 0.22, 0.10, 0.75);
            case "swarf" -> {
                if (random.nextBoolean()) Damage.fibre(s, random, spot, 0.85, 0.87, 0.9);
                Damage.particles(s, random, spot, 0.3, 0.29, 0.28, 4);
            }
            case "broken_edge" -> {
                double a = random.nextDouble() * 2 * Math.PI;
                int[] p = inFrame(s, pose, RADIUS * Math.cos(a), RADIUS * Math.sin(a));
                Damage.chip(s, random, p[0], p[1], 11, 0.17, 0.18, 0.19, 4);
            }
            default -> throw new IllegalArgumentException("a " + name + " has no defect '" + kind + "'");
        }
    }
}

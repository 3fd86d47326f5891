package io.linesight.simulator;

import java.util.SplittableRandom;

/** A twill weave of two yarns, seen from close; every frame shows another place of the roll. */
final class Fabric extends Product {
    private static final int YARN = 10;

    Fabric() {
        super("fabric", "hole", "oil_stain", "broken_yarn", "foreign_fibre", "thick_yarn", "dirt");
        base = new Weave(512).layer();
        tile = Noise.fractal(407, 2, 2, 0.8f);
        textureColour = 0.09f;
        textureHeight = 0.15f;
        heightGain = 0.22f;
        maxShift = 80;
        maxAngle = 0.06f;
    }

    /** The yarns of one piece of cloth: where they run, how thick and how bright each of them is. */
    private static final class Weave {
        private final float[] wobble = Noise.fractal(404, 128, 2, 0.5f);
        private final float[] slub = Noise.fractal(405, 32, 2, 0.5f);
        private final float[] warpTone;
        private final float[] weftTone;
        private final int side;

        Weave(int side) {
            this.side = side;
            SplittableRandom random = new SplittableRandom(406);
            warpTone = new float[side];
            weftTone = new float[side];
            for (int k = 0; k < side; k++) {
                warpTone[k] = Damage.between(random, 0.93, 1.07);
                weftTone[k] = Damage.between(random, 0.93, 1.07);
            }
        }

        Layer layer() {
            Layer layer = new Layer(side);
            for (int y = 0; y < side; y++) {
                for (int x = 0; x < side; x++) paint(layer, x, y);
            }
            return layer;
        }

        private void paint(Layer layer, int x, int y) {
            float wx = x + 1.6f * Noise.at(wobble, x, y) + 64;
            float wy = y + 1.6f * Noise.at(wobble, x + 200, y + 77) + 64;
            int col = (int) (wx / YARN);
            int row = (int) (wy / YARN);
            float fx = wx / YARN - col - 0.5f;
            float fy = wy / YARN - row - 0.5f;
            boolean warp = Math.floorMod(col + row, 4) < 2;
            // Along a float of two the yarn bows up; across it is round.
            float along = warp
                    ? fy + (Math.floorMod(col + row, 4) == 0 ? -0.5f : 0.5f)
                    : fx + (Math.floorMod(col + row, 4) == 2 ? -0.5f : 0.5f);
            float across = warp ? fx : fy;
            float bow = (float) Math.cos(along * Math.PI / 2.3);
            float round = (float) Math.sqrt(Math.max(0, 1 - 3.6f * across * across));
            float ply = (float) Math.sin((across * 6 + along * 2.4f) * 2.2);
            float tone = (warp ? warpTone[col] : weftTone[row])
                    * (1 + 0.06f * Noise.at(slub, warp ? 3 * x : x, warp ? y : 3 * y))
                    * (0.55f + 0.45f * round)
                    * (0.85f + 0.15f * bow)
                    * (1 + 0.05f * ply);
            int i = y * side + x;
            int k = i * Layer.CHANNELS;
            layer.data[k] = (warp ? 0.20f : 0.62f) * tone;
            layer.data[k + 1] = (warp ? 0.28f : 0.63f) * tone;
            layer.data[k + 2] = (warp ? 0.44f : 0.60f) * tone;
            layer.data[k + 3] = 3f * round * bow + 0.25f * ply;
            layer.data[k + 4] = 0.06f;
            layer.data[k + 5] = 1;
            layer.material[i] = BODY;
            layer.u[i] = (short) x;
            layer.v[i] = (short) y;
        }
    }

    @Override
    void damage(String kind, Scene s, Scene clean, Scene.Pose pose, SplittableRandom random, Placer placer) {
        int[] spot = Damage.spot(s, random, 40, BODY);
        boolean across = random.nextBoolean();
        float angle = (float) Math.atan2(pose.sin(), pose.cos()) + (across ? 0 : (float) Math.PI / 2);
        switch (kind) {
            case "hole" -> {
                Damage.blob(s, spot[0], spot[1], Damage.between(random, 9, 17), 1.3f, 0.6f, 0.25f, random, (i, a) -> {
                    s.red[i] += a * (0.05f - s.red[i]);
                    s.green[i] += a * (0.05f - s.green[i]);
                    s.blue[i] += a * (0.055f - s.blue[i]);
                    s.height[i] += a * (-3 - s.height[i]);
                    s.texture[i] *= 1 - a;
                    if (a > 0.25f) s.mask[i] = 1;
                });
                for (int k = 0; k < 3; k++) fray(s, random, spot);
            }
            case "oil_stain" -> Damage.stain(s, random, spot, 16, 34, 0.12, 0.11, 0.08, 0.5);
            case "broken_yarn" -> gap(s, random, spot, angle);
            case "foreign_fibre" -> Damage.fibre(s, random, spot, 0.66, 0.12, 0.10);
            case "thick_yarn" -> {
                float[][] points = Damage.arc(spot[0], spot[1], Damage.between(random, 45, 100), angle, 0.05f, 8);
                float tone = Damage.between(random, 0.62, 0.78);
                Damage.stroke(s, points, Damage.between(random, 4, 6), (i, a) -> {
                    s.red[i] += 0.8f * a * (tone - s.red[i]);
                    s.green[i] += 0.8f * a * (tone - s.green[i]);
                    s.blue[i] += 0.8f * a * (tone * 0.95f - s.blue[i]);
                    s.height[i] += a * (2.2f - 0.5f * s.height[i]);
                    s.mask[i] = 1;
                });
            }
            case "dirt" -> Damage.particles(s, random, spot, 0.16, 0.11, 0.07, 5);
            default -> throw new IllegalArgumentException("a " + name + " has no defect '" + kind + "'");
        }
    }

    private static void fray(Scene s, SplittableRandom random, int[] spot) {
        float[][] points = Damage.walk(
                spot[0] + Damage.between(random, -10, 10),
                spot[1] + Damage.between(random, -10, 10),
                Damage.between(random, 0, 6.28),
                3,
                0.5f,
                5,
                random);
        Damage.stroke(s, points, 0.7f, (i, a) -> {
            s.red[i] += 0.8f * a * (0.6f - s.red[i]);
            s.green[i] += 0.8f * a * (0.6f - s.green[i]);
            s.blue[i] += 0.8f * a * (0.57f - s.blue[i]);
            s.height[i] += a;
            s.mask[i] = 1;
        });
    }

    private static void gap(Scene s, SplittableRandom random, int[] spot, float angle) {
        float[][] points = Damage.arc(spot[0], spot[1], Damage.between(random, 45, 110), angle, 0, 4);
        Damage.stroke(s, points, Damage.between(random, 2.6, 3.8), (i, a) -> {
            float keep = 1 - 0.78f * a;
            s.red[i] *= keep;
            s.green[i] *= keep;
            s.blue[i] *= keep;
            s.height[i] += a * (-2.5f - s.height[i]);
            s.mask[i] = 1;
        });
    }
}

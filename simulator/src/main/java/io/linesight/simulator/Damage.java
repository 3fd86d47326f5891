package io.linesight.simulator;

import java.util.Arrays;
import java.util.SplittableRandom;

/** Tools that damage a scene and mark the damaged pixels in its mask. Stateless; the scene is the caller's. */
final class Damage {
    /** What happens to pixel i where the tool acts with strength a (0..1). */
    interface Tool {
        void at(int i, float a);
    }

    private Damage() {}

    /** A pixel of one of the materials, away from the edge of the image; {x, y}. */
    static int[] spot(Scene s, SplittableRandom random, int margin, int... materials) {
        for (int tries = 0; tries < 4000; tries++) {
            int x = margin + random.nextInt(s.side - 2 * margin);
            int y = margin + random.nextInt(s.side - 2 * margin);
            byte m = s.material[y * s.side + x];
            for (int want : materials) if (m == want) return new int[] {x, y};
        }
        return new int[] {s.side / 2, s.side / 2};
    }

    static float between(SplittableRandom random, double low, double high) {
        return (float) (low + (high - low) * random.nextDouble());
    }

    /** An irregular round patch; strength falls from 1 inside to 0 over {@code edge} (fraction of the radius). */
    static void blob(
            Scene s,
            float cx,
            float cy,
            float radius,
            float stretch,
            float rough,
            float edge,
            SplittableRandom random,
            Tool tool) {
        float[] amplitude = new float[7];
        float[] phase = new float[7];
        for (int k = 2; k < 7; k++) {
            amplitude[k] = rough * between(random, 0.3, 1) / (k - 0.5f);
            phase[k] = between(random, 0, 2 * Math.PI);
        }
        float angle = between(random, 0, Math.PI);
        float cos = (float) Math.cos(angle);
        float sin = (float) Math.sin(angle);
        int reach = (int) (radius * Math.max(stretch, 1) * (1 + rough * 1.5f) + 3);
        for (int y = Math.max(0, (int) cy - reach); y <= Math.min(s.side - 1, (int) cy + reach); y++) {
            for (int x = Math.max(0, (int) cx - reach); x <= Math.min(s.side - 1, (int) cx + reach); x++) {
                float dx = (cos * (x - cx) + sin * (y - cy)) / stretch;
                float dy = -sin * (x - cx) + cos * (y - cy);
                float theta = (float) Math.atan2(dy, dx);
                float r = 1;
                for (int k = 2; k < 7; k++) r += amplitude[k] * (float) Math.cos(k * theta + phase[k]);
                float d = (float) Math.sqrt(dx * dx + dy * dy) / (radius * r);
                float a = 1 - Noise.step(1 - edge, 1, d);
                if (a > 0) tool.at(y * s.side + x, a);
            }
        }
    }

    /** A line through the points; strength 1 on the line, 0 at {@code halfWidth} plus half a pixel. */
    static void stroke(Scene s, float[][] points, float halfWidth, Tool tool) {
        float[] distance = s.work;
        Arrays.fill(distance, 1e9f);
        float reach = halfWidth + 1.5f;
        for (int p = 0; p + 1 < points.length; p++) {
            float[] a = points[p];
            float[] b = points[p + 1];
            int x0 = (int) Math.max(0, Math.min(a[0], b[0]) - reach);
            int x1 = (int) Math.min(s.side - 1, Math.max(a[0], b[0]) + reach + 1);
            int y0 = (int) Math.max(0, Math.min(a[1], b[1]) - reach);
            int y1 = (int) Math.min(s.side - 1, Math.max(a[1], b[1]) + reach + 1);
            for (int y = y0; y <= y1; y++) {
                for (int x = x0; x <= x1; x++) {
                    float d = Stamp.segment(x, y, a[0], a[1], b[0], b[1]);
                    int i = y * s.side + x;
                    if (d < distance[i]) distance[i] = d;
                }
            }
        }
        for (int i = 0; i < distance.length; i++) {
            float a = halfWidth + 0.5f - distance[i];
            if (a > 0) tool.at(i, Math.min(1, a));
        }
    }

    /** A gently bent line. */
    static float[][] arc(float x, float y, float length, float angle, float bend, int n) {
        float[][] points = new float[n + 1][];
        for (int k = 0; k <= n; k++) {
            float t = k / (float) n - 0.5f;
            float a = bend * (t * t - 0.08f);
            float px = t * length;
            float py = a * length;
            points[k] = new float[] {
                (float) (x + Math.cos(angle) * px - Math.sin(angle) * py),
                (float) (y + Math.sin(angle) * px + Math.cos(angle) * py)
            };
        }
        return points;
    }

    /** A jagged line that wanders from its start. */
    static float[][] walk(float x, float y, float angle, float step, float jitter, int n, SplittableRandom random) {
        float[][] points = new float[n + 1][];
        points[0] = new float[] {x, y};
        float a = angle;
        for (int k = 1; k <= n; k++) {
            a = 0.75f * a + 0.25f * angle + between(random, -jitter, jitter);
            x += (float) Math.cos(a) * step;
            y += (float) Math.sin(a) * step;
            points[k] = new float[] {x, y};
        }
        return points;
    }

    /** Whether a pixel belongs to the part, not to the background. */
    private static boolean isPart(Scene s, int i) {
        return s.material[i] != 0;
    }

    static void scratch(Scene s, SplittableRandom random, int[] at, double minLength, double maxLength, double bright) {
        int strokes = 1 + random.nextInt(2);
        float angle = between(random, 0, Math.PI);
        for (int k = 0; k < strokes; k++) {
            float length = between(random, minLength, maxLength);
            float half = between(random, 0.5, 1.3);
            float depth = between(random, 1.0, 2.2);
            float tone = (float) bright * between(random, 0.8, 1.2);
            float[][] points = arc(
                    at[0] + between(random, -6, 6),
                    at[1] + between(random, -6, 6),
                    length,
                    angle + between(random, -0.25, 0.25),
                    between(random, -0.5, 0.5),
                    12);
            stroke(s, points, half + 1.2f, (i, a) -> {
                if (isPart(s, i)) s.height[i] += 0.45f * depth * a;
            });
            stroke(s, points, half, (i, a) -> {
                if (!isPart(s, i)) return;
                s.height[i] -= 1.6f * depth * a;
                s.red[i] += a * tone;
                s.green[i] += a * tone;
                s.blue[i] += a * tone;
                s.texture[i] *= 1 - a;
                s.mask[i] = 1;
            });
        }
    }

    static void dent(Scene s, SplittableRandom random, int[] at, double minRadius, double maxRadius, double depth) {
        float down = (float) depth * between(random, 0.8, 1.3) * (random.nextInt(4) == 0 ? -0.8f : 1);
        blob(
                s,
                at[0],
                at[1],
                between(random, minRadius, maxRadius),
                between(random, 1, 1.7),
                0.25f,
                1f,
                random,
                (i, a) -> {
                    if (!isPart(s, i)) return;
                    s.height[i] -= down * a;
                    s.texture[i] *= 1 - 0.5f * a;
                    if (a > 0.12f) s.mask[i] = 1;
                });
    }

    static void stain(
            Scene s,
            SplittableRandom random,
            int[] at,
            double minRadius,
            double maxRadius,
            double r,
            double g,
            double b,
            double opacity) {
        float strength = (float) opacity * between(random, 0.8, 1.15);
        float[] cloud = Noise.fractal(random.nextLong(), 16, 3, 0.6f);
        blob(
                s,
                at[0],
                at[1],
                between(random, minRadius, maxRadius),
                between(random, 1, 1.9),
                0.45f,
                0.45f,
                random,
                (i, a) -> {
                    if (!isPart(s, i)) return;
                    float k = Math.min(0.95f, a * strength * (1 + 0.45f * Noise.at(cloud, i % s.side, i / s.side)));
                    if (k <= 0) return;
                    s.red[i] += k * ((float) r - s.red[i]);
                    s.green[i] += k * ((float) g - s.green[i]);
                    s.blue[i] += k * ((float) b - s.blue[i]);
                    s.gloss[i] *= 1 - 0.6f * k;
                    if (a > 0.3f) s.mask[i] = 1;
                });
    }

    static void crack(Scene s, SplittableRandom random, int[] at, double length, double dark) {
        float angle = between(random, 0, 2 * Math.PI);
        float step = between(random, 4, 6);
        int n = Math.max(4, (int) (length * between(random, 0.8, 1.3) / step));
        float[][] trunk = walk(at[0], at[1], angle, step, 0.7f, n, random);
        line(s, trunk, between(random, 0.5, 1.0), (float) dark);
        int branches = 1 + random.nextInt(2);
        for (int k = 0; k < branches; k++) {
            float[] from = trunk[1 + random.nextInt(n - 1)];
            line(
                    s,
                    walk(from[0], from[1], angle + (random.nextBoolean() ? 0.8f : -0.8f), step, 0.7f, n / 2, random),
                    0.4f,
                    (float) dark);
        }
    }

    private static void line(Scene s, float[][] points, float half, float dark) {
        stroke(s, points, half, (i, a) -> {
            if (!isPart(s, i)) return;
            float keep = 1 - a * (1 - dark);
            s.red[i] *= keep;
            s.green[i] *= keep;
            s.blue[i] *= keep;
            s.height[i] -= 2 * a;
            s.gloss[i] *= 1 - a;
            s.mask[i] = 1;
        });
    }

    /** Loose material on the part: a chip, crumbs or a hair. */
    static void particles(Scene s, SplittableRandom random, int[] at, double r, double g, double b, int max) {
        int count = 1 + random.nextInt(max);
        for (int k = 0; k < count; k++) {
            float size = between(random, 3.5, 8) / (float) Math.sqrt(1 + 0.4 * k);
            float x = at[0] + (k == 0 ? 0 : between(random, -22, 22));
            float y = at[1] + (k == 0 ? 0 : between(random, -22, 22));
            float tone = between(random, 0.8, 1.2);
            shadow(s, x + 2.5f, y + 2.5f, size * 1.1f, random);
            blob(s, x, y, size, between(random, 1, 1.8), 0.6f, 0.3f, random, (i, a) -> {
                s.red[i] += a * ((float) r * tone - s.red[i]);
                s.green[i] += a * ((float) g * tone - s.green[i]);
                s.blue[i] += a * ((float) b * tone - s.blue[i]);
                s.height[i] += 2.5f * a;
                s.texture[i] *= 1 - a;
                if (a > 0.2f) s.mask[i] = 1;
            });
        }
    }

    private static void shadow(Scene s, float x, float y, float size, SplittableRandom random) {
        blob(s, x, y, size, 1.2f, 0.3f, 0.7f, random, (i, a) -> {
            float keep = 1 - 0.4f * a;
            s.red[i] *= keep;
            s.green[i] *= keep;
            s.blue[i] *= keep;
            if (a > 0.4f) s.mask[i] = 1;
        });
    }

    static void fibre(Scene s, SplittableRandom random, int[] at, double r, double g, double b) {
        float[][] points =
                walk(at[0], at[1], between(random, 0, 2 * Math.PI), 4, 0.55f, 8 + random.nextInt(10), random);
        float[][] below = new float[points.length][];
        for (int k = 0; k < points.length; k++) below[k] = new float[] {points[k][0] + 1.6f, points[k][1] + 1.8f};
        stroke(s, below, 0.9f, (i, a) -> {
            s.red[i] *= 1 - 0.35f * a;
            s.green[i] *= 1 - 0.35f * a;
            s.blue[i] *= 1 - 0.35f * a;
            if (a > 0.5f) s.mask[i] = 1;
        });
        stroke(s, points, between(random, 0.6, 1.1), (i, a) -> {
            s.red[i] += a * ((float) r - s.red[i]);
            s.green[i] += a * ((float) g - s.green[i]);
            s.blue[i] += a * ((float) b - s.blue[i]);
            s.height[i] += 1.2f * a;
            s.mask[i] = 1;
        });
    }

    /** Material broken away, so that what lies below shows. */
    static void chip(
            Scene s,
            SplittableRandom random,
            float x,
            float y,
            double radius,
            double r,
            double g,
            double b,
            double drop) {
        float[] grain = Noise.fractal(random.nextLong(), 8, 3, 0.7f);
        blob(
                s,
                x,
                y,
                (float) radius * between(random, 0.8, 1.25),
                between(random, 1, 1.5),
                0.5f,
                0.12f,
                random,
                (i, a) -> {
                    if (!isPart(s, i)) return;
                    float n = Noise.at(grain, i % s.side, i / s.side);
                    float tone = 1 + 0.25f * n;
                    s.red[i] += a * ((float) r * tone - s.red[i]);
                    s.green[i] += a * ((float) g * tone - s.green[i]);
                    s.blue[i] += a * ((float) b * tone - s.blue[i]);
                    s.height[i] -= a * ((float) drop + n);
                    s.gloss[i] *= 1 - a;
                    if (a > 0.3f) s.mask[i] = 1;
                });
    }
}

package io.linesight.simulator;

import java.util.SplittableRandom;

/** Tileable noise of side 512 and a table of Gaussian samples, made once. */
final class Noise {
    static final int SIDE = 512;
    private static final int MASK = SIDE - 1;

    private Noise() {}

    /**
     * Sum of octaves of smooth value noise, zero mean, about -1..1; {@code cell} is the coarsest lattice spacing in
     * pixels.
     */
    static float[] fractal(long seed, int cell, int octaves, float persistence) {
        float[] out = new float[SIDE * SIDE];
        float amplitude = 1;
        float total = 0;
        for (int o = 0; o < octaves && cell >= 1; o++, cell /= 2, amplitude *= persistence) {
            int n = SIDE / cell;
            float[] lattice = new float[n * n];
            SplittableRandom random = new SplittableRandom(seed + o * 7919L);
            for (int i = 0; i < lattice.length; i++) lattice[i] = (float) (random.nextDouble() * 2 - 1);
            for (int y = 0; y < SIDE; y++) {
                int y0 = y / cell;
                int y1 = (y0 + 1) % n;
                float fy = smooth((y % cell) / (float) cell);
                for (int x = 0; x < SIDE; x++) {
                    int x0 = x / cell;
                    int x1 = (x0 + 1) % n;
                    float fx = smooth((x % cell) / (float) cell);
                    float top = lattice[y0 * n + x0] + fx * (lattice[y0 * n + x1] - lattice[y0 * n + x0]);
                    float bottom = lattice[y1 * n + x0] + fx * (lattice[y1 * n + x1] - lattice[y1 * n + x0]);
                    out[y * SIDE + x] += amplitude * (top + fy * (bottom - top));
                }
            }
            total += amplitude;
        }
        for (int i = 0; i < out.length; i++) out[i] /= total * 0.6f;
        return out;
    }

    /** White noise smeared along x: the marks of brushing or turning. */
    static float[] brushed(long seed, int length) {
        float[] white = new float[SIDE * SIDE];
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < white.length; i++) white[i] = (float) (random.nextDouble() * 2 - 1);
        float[] out = new float[SIDE * SIDE];
        for (int y = 0; y < SIDE; y++) {
            float sum = 0;
            for (int x = 0; x < length; x++) sum += white[y * SIDE + x];
            for (int x = 0; x < SIDE; x++) {
                out[y * SIDE + x] = sum / (float) Math.sqrt(length);
                sum += white[y * SIDE + ((x + length) & MASK)] - white[y * SIDE + x];
            }
        }
        return out;
    }

    static float[] gaussian(long seed, int n) {
        java.util.Random random = new java.util.Random(seed);
        float[] out = new float[n];
        for (int i = 0; i < n; i++) out[i] = (float) random.nextGaussian();
        return out;
    }

    static float at(float[] tile, int u, int v) {
        return tile[(v & MASK) * SIDE + (u & MASK)];
    }

    static float smooth(float t) {
        return t * t * (3 - 2 * t);
    }

    static float step(float from, float to, float x) {
        float t = (x - from) / (to - from);
        return t <= 0 ? 0 : t >= 1 ? 1 : smooth(t);
    }

    /** Mixes keys into one well-spread seed (SplitMix64 finaliser). */
    static long mix(long... keys) {
        long h = 0x9E3779B97F4A7C15L;
        for (long k : keys) {
            h ^= k + 0x9E3779B97F4A7C15L + (h << 6) + (h >>> 2);
            h = (h ^ (h >>> 30)) * 0xBF58476D1CE4E5B9L;
            h = (h ^ (h >>> 27)) * 0x94D049BB133111EBL;
            h ^= h >>> 31;
        }
        return h;
    }
}

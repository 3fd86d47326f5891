package io.linesight.trainer.distill;

import java.util.SplittableRandom;

/** Random numbers and colours as inspected surfaces have them. Stateless. */
final class Palette {
    private Palette() {}

    static double in(SplittableRandom r, double min, double max) {
        return min + r.nextDouble() * (max - min);
    }

    /** Between two positive numbers, evenly in their logarithm. */
    static double log(SplittableRandom r, double min, double max) {
        return min * Math.pow(max / min, r.nextDouble());
    }

    /** Mostly grey, as most of what is inspected. */
    static float[] colour(SplittableRandom r) {
        float v = (float) in(r, 0.03, 0.97);
        double tint = r.nextDouble() < 0.55 ? 0.03 : 0.35;
        float[] c = new float[3];
        for (int i = 0; i < 3; i++) c[i] = Math.max(0, Math.min(1, v + (float) in(r, -tint, tint)));
        return c;
    }

    /** A colour whose brightness differs from another's by some contrast. */
    static float[] against(SplittableRandom r, float[] other) {
        float[] c = colour(r);
        float contrast = (float) log(r, 0.06, 0.9) * (r.nextBoolean() ? 1 : -1);
        float mean = (other[0] + other[1] + other[2]) / 3;
        if (mean + contrast < 0 || mean + contrast > 1) contrast = -contrast;
        float shift = mean + contrast - (c[0] + c[1] + c[2]) / 3;
        for (int i = 0; i < 3; i++) c[i] = Math.max(0, Math.min(1, c[i] + shift));
        return c;
    }

    static float[] mix(float[] a, float[] b, double t) {
        float[] c = new float[3];
        for (int i = 0; i < 3; i++) c[i] = (float) (a[i] + t * (b[i] - a[i]));
        return c;
    }
}

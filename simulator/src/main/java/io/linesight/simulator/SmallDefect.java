package io.linesight.simulator;

import java.util.List;
import java.util.SplittableRandom;

/**
 * A defect of a given extent in pixels, whatever the product: what is lost first when a large image is made small.
 *
 * @param min smallest extent
 * @param max greatest extent
 */
record SmallDefect(int min, int max) {
    static final List<String> KINDS = List.of("nick", "pit", "speck");

    /** Draws one on the part's body; whether it came out as long as it should be is for {@link #fits} to say. */
    void draw(String kind, Scene s, SplittableRandom random) {
        int[] at = Damage.spot(s, random, 40, Product.BODY);
        float extent = Damage.between(random, min, max);
        switch (kind) {
            case "nick" -> nick(s, at, extent, random);
            case "pit" -> blob(s, at, extent, random, 0.12f, -1.5f);
            case "speck" -> blob(s, at, extent, random, 0.95f, 1.5f);
            default -> throw new IllegalArgumentException("there is no small defect '" + kind + "'");
        }
    }

    private static void nick(Scene s, int[] at, float extent, SplittableRandom random) {
        float tone = random.nextBoolean() ? 0.9f : 0.06f;
        float half = 0.7f;
        // Its ends are round and reach half a pixel further.
        float[][] line = Damage.arc(at[0], at[1], extent - 2 * half - 1, Damage.between(random, 0, Math.PI), 0.2f, 4);
        Damage.stroke(s, line, half, (i, a) -> paint(s, i, a, tone, -1));
    }

    private static void blob(Scene s, int[] at, float extent, SplittableRandom random, float tone, float height) {
        Damage.blob(
                s, at[0], at[1], extent / 2 * 1.1f, 1, 0.15f, 0.35f, random, (i, a) -> paint(s, i, a, tone, height));
    }

    /** Whether a mask is as long as it should be. */
    boolean fits(byte[] mask, int side) {
        int left = side;
        int right = -1;
        int upper = side;
        int lower = -1;
        for (int i = 0; i < mask.length; i++) {
            if (mask[i] == 0) continue;
            left = Math.min(left, i % side);
            right = Math.max(right, i % side);
            upper = Math.min(upper, i / side);
            lower = Math.max(lower, i / side);
        }
        int extent = Math.max(right - left, lower - upper) + 1;
        return extent >= min && extent <= max;
    }

    private static void paint(Scene s, int i, float a, float tone, float height) {
        s.red[i] += a * (tone - s.red[i]);
        s.green[i] += a * (tone - s.green[i]);
        s.blue[i] += a * (tone - s.blue[i]);
        s.height[i] += height * a;
        s.texture[i] *= 1 - a;
        if (a > 0.3f) s.mask[i] = 1;
    }
}

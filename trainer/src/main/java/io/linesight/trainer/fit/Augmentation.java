package io.linesight.trainer.fit;

import java.util.Collection;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Collectors;

/**
 * Changed copies of a planar 256x256 RGB frame, made before encoding. What a copy looks like follows from seed, image
 * and number alone.
 */
final class Augmentation {
    private static final int SIDE = 256;
    /** Pixels that a frame is moved by at most: 5 % of its side. */
    private static final int SHIFT = 13;
    /** Share by which a frame gets lighter or darker at most. */
    private static final double BRIGHTNESS = 0.1;

    private final Set<FitOptions.Change> changes;
    private final long seed;

    Augmentation(Collection<FitOptions.Change> changes, long seed) {
        this.changes = changes.isEmpty() ? EnumSet.noneOf(FitOptions.Change.class) : EnumSet.copyOf(changes);
        this.seed = seed;
    }

    /** @param copy 0 is the frame itself, not a copy */
    byte[] apply(byte[] frame, int image, int copy) {
        if (copy == 0) return frame;
        SplittableRandom random = new SplittableRandom(seed * 0x9E3779B97F4A7C15L + image * 1_000_003L + copy);
        // Every draw is made whatever was chosen, so that one change more does not alter the others.
        boolean across = random.nextBoolean();
        boolean down = random.nextBoolean();
        int quarters = random.nextInt(4);
        double light = 1 + random.nextDouble(-BRIGHTNESS, BRIGHTNESS);
        int dx = random.nextInt(-SHIFT, SHIFT + 1);
        int dy = random.nextInt(-SHIFT, SHIFT + 1);
        if (!changes.contains(FitOptions.Change.FLIP)) across = down = false;
        if (!changes.contains(FitOptions.Change.ROTATE90)) quarters = 0;
        if (!changes.contains(FitOptions.Change.BRIGHTNESS)) light = 1;
        if (!changes.contains(FitOptions.Change.SHIFT)) dx = dy = 0;
        byte[] out = new byte[frame.length];
        int plane = SIDE * SIDE;
        for (int y = 0; y < SIDE; y++) {
            for (int x = 0; x < SIDE; x++) {
                // Where this pixel comes from; what moves in at an edge repeats it.
                int sx = Math.max(0, Math.min(SIDE - 1, x - dx));
                int sy = Math.max(0, Math.min(SIDE - 1, y - dy));
                for (int q = 0; q < quarters; q++) {
                    int t = sx;
                    sx = sy;
                    sy = SIDE - 1 - t;
                }
                if (across) sx = SIDE - 1 - sx;
                if (down) sy = SIDE - 1 - sy;
                for (int c = 0; c < 3; c++) {
                    int v = frame[c * plane + sy * SIDE + sx] & 0xff;
                    out[c * plane + y * SIDE + x] =
                            (byte) (light == 1 ? v : Math.max(0, Math.min(255, Math.round(v * light))));
                }
            }
        }
        return out;
    }

    /** The changes as a checkpoint's provenance names them. */
    static String name(Collection<FitOptions.Change> changes) {
        if (changes.isEmpty()) return "none";
        return changes.stream()
                .sorted()
                .map(c -> c.name().toLowerCase(Locale.ROOT))
                .collect(Collectors.joining(","));
    }
}

package io.linesight.mmad.encoder;

import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.mmad.runtime.ScoringException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;

/** Compares an encoder with another computation of the same network, on images made for it. */
public final class EncoderCheck {
    /** Largest difference, divided by the largest value of the feature map, that passes. */
    public static final double LIMIT = 1e-3;

    private EncoderCheck() {}

    /** An image with shading, edges and noise, planar RGB 256x256; the same for the same seed. */
    public static byte[] image(int seed) {
        int side = MmadConfig.INPUT_SIZE;
        SplittableRandom random = new SplittableRandom(seed);
        byte[] planar = new byte[3 * side * side];
        double[] phase = random.doubles(6).toArray();
        for (int c = 0; c < 3; c++) {
            for (int y = 0; y < side; y++) {
                for (int x = 0; x < side; x++) {
                    double v = 110 + 60 * Math.sin(x / (9 + 30 * phase[c]) + c) * Math.cos(y / (7 + 25 * phase[c + 3]));
                    if ((x / 32 + y / 48 + seed) % 3 == 0) v += 50;
                    planar[(c * side + y) * side + x] =
                            (byte) Math.max(0, Math.min(255, v + 40 * (random.nextDouble() - 0.5)));
                }
            }
        }
        return planar;
    }

    /** The same image as the encoder sees it: {@code [3,256,256]} in [0,1]. */
    public static float[] scaled(byte[] image) {
        float[] values = new float[image.length];
        for (int i = 0; i < values.length; i++) values[i] = (image[i] & 0xff) / 255f;
        return values;
    }

    /**
     * Runs the encoder on the image, alone and behind another one in a batch.
     *
     * @param expected the feature maps of the image at strides 4, 8, 16, computed otherwise
     * @return differences of the three maps
     * @throws IllegalArgumentException when a map differs, is not finite or is zero everywhere, or when the neighbour
     *     in the batch changes it
     */
    public static List<Double> compare(Encoder encoder, byte[] image, List<float[]> expected) {
        float[][] alone;
        float[][] both;
        try (EncoderSession session =
                EncoderSession.open(encoder, ScorerOptions.defaults().withDevice("cpu"))) {
            alone = session.features(List.of(image));
            try {
                both = session.features(List.of(image(2), image));
            } catch (ScoringException e) {
                throw new IllegalArgumentException(
                        "the network does not take two images at once, a batch of one is built into it; export it "
                                + "with a dynamic batch dimension ("
                                + e.getMessage() + ")",
                        e);
            }
        }
        List<Double> differences = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            String map = "the feature map at stride " + (4 << i);
            float[] e = expected.get(i);
            double d = difference(e, alone[i], map);
            if (!(d <= LIMIT))
                throw new IllegalArgumentException(map + " is off by " + String.format(Locale.ROOT, "%.2g", d)
                        + " of its largest value from what the original computes; nothing was written");
            differences.add(d);
            double neighbour = difference(e, Arrays.copyOfRange(both[i], e.length, 2 * e.length), map);
            if (!(neighbour <= LIMIT))
                throw new IllegalArgumentException(map
                        + " of an image changes with its neighbour in a batch; frames are scored in "
                        + "batches, so this network cannot be used");
        }
        return differences;
    }

    private static double difference(float[] expected, float[] actual, String map) {
        if (expected.length != actual.length)
            throw new IllegalArgumentException(
                    map + " has " + actual.length + " values, the original computes " + expected.length);
        double largest = 0;
        double difference = 0;
        for (int i = 0; i < expected.length; i++) {
            if (!Float.isFinite(expected[i]) || !Float.isFinite(actual[i]))
                throw new IllegalArgumentException(map + " has NaN or infinite values; the weights are damaged");
            largest = Math.max(largest, Math.abs(expected[i]));
            difference = Math.max(difference, Math.abs(expected[i] - actual[i]));
        }
        if (largest == 0) throw new IllegalArgumentException(map + " is zero everywhere; the weights are damaged");
        return difference / largest;
    }
}

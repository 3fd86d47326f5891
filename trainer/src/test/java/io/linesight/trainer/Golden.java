package io.linesight.trainer;

import io.linesight.mmad.architecture.Weights;
import io.linesight.mmad.checkpoint.ParityCheckpoint;
import io.linesight.mmad.golden.GoldenSet;
import java.io.IOException;
import java.util.Arrays;

/** Comparison with the reference's values. */
public final class Golden {
    private Golden() {}

    /** Uniform values made from a name, as the reference set defines them. */
    public static float[] random(String name, float offset, float scale, int size) {
        return ParityCheckpoint.tensor(name, offset, scale, size).data();
    }

    /** Weights of the whole reference network, encoder ({@code net_t.*}) included. */
    public static Weights manifest() throws IOException {
        return ParityCheckpoint.weights(GoldenSet.weightsManifest());
    }

    /** The beginning of an array, of which a set may hold no more. */
    public static float[] beginning(float[] actual, int size, float[] expected) {
        if (actual.length != size) throw new AssertionError("length " + actual.length + " instead of " + size);
        return Arrays.copyOf(actual, expected.length);
    }

    /** Largest difference divided by the reference's largest magnitude. */
    public static double relative(float[] actual, float[] expected) {
        if (actual.length != expected.length)
            throw new AssertionError("length " + actual.length + " instead of " + expected.length);
        double difference = 0;
        double largest = 0;
        for (int i = 0; i < actual.length; i++) {
            if (!Float.isFinite(actual[i])) throw new AssertionError("value " + i + " is " + actual[i]);
            difference = Math.max(difference, Math.abs(actual[i] - expected[i]));
            largest = Math.max(largest, Math.abs(expected[i]));
        }
        return largest == 0 ? difference : difference / largest;
    }

    /** Largest absolute difference. */
    public static double absolute(float[] actual, float[] expected) {
        double difference = 0;
        if (actual.length != expected.length)
            throw new AssertionError("length " + actual.length + " instead of " + expected.length);
        for (int i = 0; i < actual.length; i++) {
            if (!Float.isFinite(actual[i])) throw new AssertionError("value " + i + " is " + actual[i]);
            difference = Math.max(difference, Math.abs(actual[i] - expected[i]));
        }
        return difference;
    }
}

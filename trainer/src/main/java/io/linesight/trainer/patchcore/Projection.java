package io.linesight.trainer.patchcore;

import java.util.SplittableRandom;

/** Random projection to fewer dimensions, which about keeps distances (Johnson and Lindenstrauss). Immutable. */
final class Projection {
    private final float[] matrix;
    private final int from;
    private final int to;

    Projection(int from, int to, SplittableRandom random) {
        this.from = from;
        this.to = to;
        matrix = new float[from * to];
        double scale = 1 / Math.sqrt(to);
        for (int i = 0; i < matrix.length; i++) matrix[i] = (float) (scale * random.nextGaussian());
    }

    float[] of(float[] vector) {
        float[] out = new float[to];
        for (int k = 0; k < from; k++) {
            float v = vector[k];
            int row = k * to;
            for (int j = 0; j < to; j++) out[j] += v * matrix[row + j];
        }
        return out;
    }
}

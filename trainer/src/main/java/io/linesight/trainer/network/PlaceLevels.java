package io.linesight.trainer.network;

import java.util.Arrays;
import java.util.List;

/** How large the log distance of normal images is by place of the image, and how much it varies. Stateless. */
public final class PlaceLevels {
    /** A place's level counts as much as that of the whole image when it comes from so many images. */
    private static final double IMAGES_FOR_PLACE = 30;

    private PlaceLevels() {}

    /**
     * Mean and deviation by place, into {@code into[at]} and {@code into[at + 1]} (rows of L values): averaged over 3x3
     * places, drawn towards those of all places, the mean no less than that of all.
     */
    public static void fit(List<float[]> images, int side, float[] into, int at) {
        int places = side * side;
        double share = images.size() / (images.size() + IMAGES_FOR_PLACE);
        double[] mean = new double[places];
        for (float[] p : images) for (int i = 0; i < places; i++) mean[i] += p[i] / images.size();
        double all = Arrays.stream(mean).average().orElseThrow();
        mean = smoothed(mean, side);
        double[] squares = new double[places];
        for (int i = 0; i < places; i++) {
            mean[i] = Math.max(all, share * mean[i] + (1 - share) * all);
            for (float[] p : images) squares[i] += (p[i] - mean[i]) * (p[i] - mean[i]) / images.size();
        }
        squares = smoothed(squares, side);
        double typical = Arrays.stream(squares).average().orElseThrow();
        for (int i = 0; i < places; i++) {
            into[at * places + i] = (float) mean[i];
            into[(at + 1) * places + i] = (float) Math.max(Math.sqrt(share * squares[i] + (1 - share) * typical), 1e-3);
        }
    }

    /** Mean over 3x3 places; beyond the border are the border's own values. */
    private static double[] smoothed(double[] x, int side) {
        double[] out = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            for (int dy = -1; dy <= 1; dy++) {
                int row = Math.min(side - 1, Math.max(0, i / side + dy));
                for (int dx = -1; dx <= 1; dx++)
                    out[i] += x[row * side + Math.min(side - 1, Math.max(0, i % side + dx))] / 9;
            }
        }
        return out;
    }
}

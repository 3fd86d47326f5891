package io.linesight.trainer.retrieval;

import io.linesight.mmad.architecture.Tensor;
import io.linesight.trainer.patchcore.Coreset;
import java.util.Arrays;
import java.util.Comparator;
import java.util.SplittableRandom;
import java.util.concurrent.ForkJoinPool;
import java.util.stream.IntStream;

/** Mean features of images, by which similar ones are found, standardised per channel. Immutable. */
final class MeanFeatures {
    /** Channels that hardly vary do not count for more than ten times the typical one. */
    private static final double MIN_SHARE = 0.1;

    private final float[] shift;
    private final float[] scale;
    private final float[][] rows;

    private MeanFeatures(float[] shift, float[] scale, float[][] rows) {
        this.shift = shift;
        this.scale = scale;
        this.rows = rows;
    }

    /** @param means by image, as the encoder gives them; at least one */
    static MeanFeatures of(float[][] means) {
        int channels = means[0].length;
        float[] shift = new float[channels];
        double[] deviation = new double[channels];
        for (int c = 0; c < channels; c++) {
            double sum = 0;
            for (float[] m : means) sum += m[c];
            shift[c] = (float) (sum / means.length);
            double squares = 0;
            for (float[] m : means) squares += ((double) m[c] - shift[c]) * ((double) m[c] - shift[c]);
            deviation[c] = Math.sqrt(squares / means.length);
        }
        double typical = Arrays.stream(deviation).average().orElseThrow();
        float[] scale = new float[channels];
        // Images that are all the same differ in nothing, and nothing is to be blown up.
        for (int c = 0; c < channels; c++)
            scale[c] = typical < 1e-9 ? 1 : (float) (1 / Math.max(deviation[c], MIN_SHARE * typical));
        float[][] rows = new float[means.length][channels];
        for (int i = 0; i < rows.length; i++)
            for (int c = 0; c < channels; c++) rows[i][c] = (means[i][c] - shift[c]) * scale[c];
        return new MeanFeatures(shift, scale, rows);
    }

    int channels() {
        return shift.length;
    }

    Tensor shift() {
        return new Tensor(shift, shift.length);
    }

    Tensor scale() {
        return new Tensor(scale, scale.length);
    }

    /** Standardised, [M,C]. */
    Tensor rows() {
        float[] all = new float[rows.length * shift.length];
        for (int i = 0; i < rows.length; i++) System.arraycopy(rows[i], 0, all, i * shift.length, shift.length);
        return new Tensor(all, rows.length, shift.length);
    }

    /** Squared distance between two images. */
    double distance(int a, int b) {
        double sum = 0;
        for (int c = 0; c < shift.length; c++) {
            double d = (double) rows[a][c] - rows[b][c];
            sum += d * d;
        }
        return sum;
    }

    /** The images nearest to one, of those given, nearest first. */
    int[] nearest(int image, IntStream among, int count) {
        return among.boxed()
                .sorted(Comparator.<Integer>comparingDouble(other -> distance(image, other))
                        .thenComparing(other -> other))
                .limit(count)
                .mapToInt(Integer::intValue)
                .toArray();
    }

    /** The image, of the first ones, that is nearest to a mean feature as the encoder gives it. */
    int nearest(float[] mean, int count) {
        int nearest = 0;
        double least = Double.POSITIVE_INFINITY;
        for (int i = 0; i < count; i++) {
            double sum = 0;
            for (int c = 0; c < shift.length; c++) {
                double d = (mean[c] - shift[c]) * scale[c] - rows[i][c];
                sum += d * d;
            }
            if (sum < least) {
                least = sum;
                nearest = i;
            }
        }
        return nearest;
    }

    /** Chooses images from {@code first} to before {@code end} that stand for the others; in ascending order. */
    int[] representatives(int first, int end, int wanted, long seed, ForkJoinPool pool) {
        if (wanted >= end - first) return IntStream.range(first, end).toArray();
        int dimensions = (channels() + 7) / 8 * 8;
        Coreset coreset = new Coreset(end - first, dimensions);
        for (int i = first; i < end; i++) coreset.put(i - first, Arrays.copyOf(rows[i], dimensions));
        int[] chosen = coreset.choose(wanted, new SplittableRandom(seed), pool, n -> {});
        return Arrays.stream(chosen).map(i -> first + i).sorted().toArray();
    }
}

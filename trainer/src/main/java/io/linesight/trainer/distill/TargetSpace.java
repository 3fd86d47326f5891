package io.linesight.trainer.distill;

import io.linesight.trainer.torch.Torch;
import java.util.Arrays;

/**
 * The coordinates that the student imitates at one stride: the teachers' channels side by side, each with mean 0 and
 * variance 1, every teacher weighted to the same total variance, turned to principal components of which the first are
 * kept, all scaled by one number so that the components' mean variance is 1. Distances and angles thus are those of the
 * standardised teachers, but for what the dropped components hold.
 *
 * @param channels of the teachers together
 * @param components kept
 * @param projection {@code [components, channels]} row-major: target = projection * (features - mean)
 * @param mean of the channels
 * @param variances of the kept components, descending; their mean is 1
 * @param kept share of the standardised teachers' variance in the kept components
 */
record TargetSpace(int channels, int components, double[] projection, double[] mean, double[] variances, double kept) {
    /**
     * A channel whose deviation is below this share of its teacher's mean deviation is as good as constant and is
     * dropped.
     */
    private static final double CONSTANT = 1e-3;

    /**
     * @param teachers channels of each teacher
     * @param count rows that the sums were taken over
     * @param sum of every channel
     * @param products {@code [channels, channels]}: sums of products
     * @param components to keep
     * @throws IllegalArgumentException when the teachers have fewer channels that vary than components are wanted
     */
    static TargetSpace of(int[] teachers, double count, double[] sum, double[] products, int components) {
        int n = sum.length;
        double[] mean = new double[n];
        double[] sd = new double[n];
        for (int i = 0; i < n; i++) {
            mean[i] = sum[i] / count;
            sd[i] = Math.sqrt(Math.max(0, products[i * n + i] / count - mean[i] * mean[i]));
        }
        double[] scale = scales(teachers, sd);
        long varying = Arrays.stream(scale).filter(f -> f > 0).count();
        if (varying < components) {
            throw new IllegalArgumentException("the teachers have " + varying + " channels that vary, but " + components
                    + " components are to be learned: take a larger teacher, or one more");
        }
        double[] covariance = new double[n * n];
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++)
                covariance[i * n + j] = scale[i] * scale[j] * (products[i * n + j] / count - mean[i] * mean[j]);
        }
        return principal(Torch.eigen(covariance, n), scale, mean, components);
    }

    /** Factor of every channel that gives its teacher the total variance 1; 0 for a channel as good as constant. */
    private static double[] scales(int[] teachers, double[] sd) {
        double[] scale = new double[sd.length];
        for (int t = 0, from = 0; t < teachers.length; from += teachers[t++]) {
            double average = 0;
            for (int i = from; i < from + teachers[t]; i++) average += sd[i] / teachers[t];
            int kept = 0;
            for (int i = from; i < from + teachers[t]; i++) if (sd[i] > CONSTANT * average && average > 0) kept++;
            for (int i = from; i < from + teachers[t]; i++)
                if (sd[i] > CONSTANT * average && average > 0) scale[i] = 1 / (sd[i] * Math.sqrt(kept));
        }
        return scale;
    }

    private static TargetSpace principal(Torch.Eigen eigen, double[] scale, double[] mean, int components) {
        int n = scale.length;
        double total = 0;
        double top = 0;
        for (int i = 0; i < n; i++) {
            total += Math.max(0, eigen.values()[i]);
            if (i >= n - components) top += Math.max(0, eigen.values()[i]);
        }
        double unit = components / top;
        double[] projection = new double[components * n];
        double[] variances = new double[components];
        for (int k = 0; k < components; k++) {
            int column = n - 1 - k;
            variances[k] = Math.max(0, eigen.values()[column]) * unit;
            for (int i = 0; i < n; i++)
                projection[k * n + i] = Math.sqrt(unit) * scale[i] * eigen.vectors()[i * n + column];
        }
        return new TargetSpace(n, components, projection, mean, variances, top / total);
    }

    /**
     * Factors of the components' squared errors in the loss: proportional to variance to the power of -exponent, and
     * such that the loss of a student that always answers 0 is 1.
     */
    float[] weights(double exponent) {
        double[] w = new double[components];
        double sum = 0;
        for (int k = 0; k < components; k++) {
            w[k] = Math.pow(Math.max(variances[k], 1e-3), -exponent);
            sum += w[k] * variances[k];
        }
        float[] out = new float[components];
        for (int k = 0; k < components; k++) out[k] = (float) (w[k] / sum);
        return out;
    }
}

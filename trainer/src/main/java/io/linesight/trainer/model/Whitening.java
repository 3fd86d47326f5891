package io.linesight.trainer.model;

import io.linesight.mmad.model.MmadConfig;
import io.linesight.mmad.model.Weights;
import io.linesight.trainer.torch.Torch;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Fits what {@link io.linesight.mmad.model.MapKind#WHITENED} needs, in closed form on normal pictures: per scale and product the mean and covariance of the
 * difference between teacher and student, averaged over 3x3 pixels, and the mean and deviation of the logarithms of both distances.
 */
public final class Whitening {
    /**
     * Added to the covariance's diagonal, as a share of its mean: directions in which normal pictures hardly differ are not blown up. Between 0.003
     * and 0.3 the real categories' mean image AUROC moved by 0.004.
     */
    private static final double SHRINK = 0.03;

    /** A group's covariance counts as much as the mean of all groups' when it comes from so many pictures. */
    private static final double BORROWED = 10;

    private Whitening() { }

    /**
     * Puts the fitted {@code anomaly_map.*} tensors into the weights. The pictures' differences are held in native memory meanwhile: 1.6 MB a
     * picture for a MobileNet without stride 4, 3.7 MB with it.
     *
     * @param features raw teacher features [1,L,C] of picture i, finest first
     * @param groupOf  of picture i its group, 0 to {@link MmadConfig#groups} - 1; every group has at least one
     */
    public static void fit(MmadNet net, MmadConfig config, IntFunction<List<Tensor>> features, int[] groupOf, Weights weights) {
        int scales = 3 - config.finest();
        int groups = Math.max(1, config.groups());
        try (PointerScope scope = new PointerScope(); NoGradGuard off = new NoGradGuard()) {
            List<List<Tensor>> differences = new ArrayList<>();
            List<List<Tensor>> cosine = new ArrayList<>();
            for (int s = 0; s < scales; s++) {
                differences.add(new ArrayList<>());
                cosine.add(new ArrayList<>());
            }
            float[][] means = new float[groupOf.length][];
            for (int i = 0; i < groupOf.length; i++) {
                try (PointerScope picture = new PointerScope()) {
                    List<Tensor> all = net.normalised(features.apply(i));
                    List<Tensor> teacher = net.imitated(all);
                    List<Tensor> student = net.student(all, null).features();
                    means[i] = Torch.values(all.get(2).mean(new long[] {0, 1}));
                    for (int s = 0; s < scales; s++) {
                        differences.get(s).add(Torch.keep(scope, averaged(teacher.get(s).sub(student.get(s)), 64 >> s + config.finest())));
                        cosine.get(s).add(Torch.keep(scope, Expectation.logDistance(teacher.get(s).squeeze(0), student.get(s).squeeze(0))));
                    }
                }
            }
            for (int s = 0; s < scales; s++) scale("anomaly_map." + (s + config.finest()) + ".", differences.get(s), cosine.get(s), groupOf, groups, weights);
            if (groups > 1) centres(means, groupOf, groups, weights);
        }
    }

    /** [1,L,C] to [L,C]: every pixel's mean over itself and those of its eight neighbours that there are. */
    private static Tensor averaged(Tensor rows, int side) {
        long[] three = {3, 3};
        Tensor image = torch.avg_pool2d(Torch.image(rows, side), three, new long[] {1, 1}, new long[] {1, 1}, false, false, new org.bytedeco.pytorch.LongOptional());
        return Torch.rows(image).squeeze(0);
    }

    /** Where the groups' mean features lie, and the scale by which a channel counts: the inverse of its deviation within the groups. */
    private static void centres(float[][] means, int[] groupOf, int groups, Weights weights) {
        int c = means[0].length;
        float[] centre = new float[groups * c];
        float[] scale = new float[c];
        int[] count = new int[groups];
        for (int g : groupOf) count[g]++;
        for (int i = 0; i < means.length; i++) for (int k = 0; k < c; k++) centre[groupOf[i] * c + k] += means[i][k] / count[groupOf[i]];
        double typical = 0;
        for (int k = 0; k < c; k++) {
            double squares = 0;
            for (int i = 0; i < means.length; i++) squares += Math.pow(means[i][k] - centre[groupOf[i] * c + k], 2);
            scale[k] = (float) Math.sqrt(squares / means.length);
            typical += scale[k] / c;
        }
        for (int k = 0; k < c; k++) scale[k] = (float) (1 / Math.max(scale[k], Math.max(0.1 * typical, 1e-6)));
        put(weights, "anomaly_map.groups.centre", centre, groups, c);
        put(weights, "anomaly_map.groups.scale", scale, c);
    }

    /** Mean and covariance of rows; the covariance in double. */
    private record Moments(Tensor mean, Tensor covariance, int pictures) {
        static Moments of(List<Tensor> differences) {
            long c = differences.get(0).size(1);
            long rows = 0;
            Tensor sum = torch.zeros(new long[] {c}).to(torch.ScalarType.Double);
            Tensor products = torch.zeros(new long[] {c, c}).to(torch.ScalarType.Double);
            for (Tensor d : differences) {
                try (PointerScope picture = new PointerScope()) {
                    // Sums within a picture in float, over pictures in double.
                    sum.add_(d.sum(new long[] {0}).to(torch.ScalarType.Double));
                    products.add_(d.t().mm(d).to(torch.ScalarType.Double));
                }
                rows += d.size(0);
            }
            Tensor mean = sum.div(Torch.scalar(rows));
            return new Moments(mean, products.div(Torch.scalar(rows)).sub(torch.outer(mean, mean)), differences.size());
        }
    }

    private static void scale(String prefix, List<Tensor> differences, List<Tensor> cosine, int[] groupOf, int groups, Weights weights) {
        try (PointerScope scope = new PointerScope()) {
            int c = (int) differences.get(0).size(1);
            List<Moments> moments = new ArrayList<>();
            Tensor common = torch.zeros(new long[] {c, c}).to(torch.ScalarType.Double);
            for (int g = 0; g < groups; g++) {
                moments.add(Moments.of(of(differences, groupOf, g)));
                common = common.add(moments.get(g).covariance.div(Torch.scalar(groups)));
            }
            Tensor eye = torch.eye(c).to(torch.ScalarType.Double);
            float[] mean = new float[groups * c];
            float[] matrix = new float[groups * c * c];
            float[] levels = new float[groups * 4];
            for (int g = 0; g < groups; g++) {
                try (PointerScope group = new PointerScope()) {
                    Moments own = moments.get(g);
                    double borrowed = BORROWED / (own.pictures + BORROWED);
                    Tensor covariance = own.covariance.mul(Torch.scalar(1 - borrowed)).add(common.mul(Torch.scalar(borrowed)));
                    double typical = Math.max(covariance.trace().item_double() / c, 1e-12);
                    covariance = covariance.add(eye.mul(Torch.scalar(SHRINK * typical)));
                    // The factor L of the inverse covariance P = L L': a row times L has the squared length that P measures.
                    Tensor inverse = Torch.solve(covariance, eye);
                    Tensor factor = Torch.cholesky(inverse.add(inverse.t()).mul(Torch.scalar(0.5))).to(torch.ScalarType.Float);
                    Tensor shift = own.mean.to(torch.ScalarType.Float);
                    double[] second = new double[3];
                    for (Tensor d : of(differences, groupOf, g)) {
                        try (PointerScope picture = new PointerScope()) {
                            Tensor squares = d.sub(shift).mm(factor).square().mean(new long[] {1}, true, new org.bytedeco.pytorch.ScalarTypeOptional());
                            count(squares.add(Torch.scalar(MmadConfig.LEAST_DISTANCE)).log(), second);
                        }
                    }
                    double[] first = new double[3];
                    for (Tensor d : of(cosine, groupOf, g)) count(d, first);
                    System.arraycopy(Torch.values(shift), 0, mean, g * c, c);
                    System.arraycopy(Torch.values(factor), 0, matrix, g * c * c, c * c);
                    levels[4 * g] = (float) mean(first);
                    levels[4 * g + 1] = (float) deviation(first);
                    levels[4 * g + 2] = (float) mean(second);
                    levels[4 * g + 3] = (float) deviation(second);
                }
            }
            put(weights, prefix + "whiten.mean", mean, groups, c);
            put(weights, prefix + "whiten.matrix", matrix, groups, c, c);
            put(weights, prefix + "levels", levels, groups, 4);
        }
    }

    private static List<Tensor> of(List<Tensor> all, int[] groupOf, int group) {
        List<Tensor> some = new ArrayList<>();
        for (int i = 0; i < groupOf.length; i++) if (groupOf[i] == group) some.add(all.get(i));
        return some;
    }

    /** Adds the values to sum, sum of squares and number. */
    private static void count(Tensor values, double[] sums) {
        for (float v : Torch.values(values)) {
            sums[0] += v;
            sums[1] += (double) v * v;
            sums[2]++;
        }
    }

    private static double mean(double[] sums) {
        return sums[0] / sums[2];
    }

    private static double deviation(double[] sums) {
        double mean = mean(sums);
        return Math.max(Math.sqrt(Math.max(0, sums[1] / sums[2] - mean * mean)), 1e-3);
    }

    private static void put(Weights weights, String name, float[] values, int... shape) {
        weights.put(name, new io.linesight.mmad.model.Tensor(values, shape));
    }
}

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
 * Fits what {@link io.linesight.mmad.model.MapKind#WHITENED} needs, in closed form on normal pictures: per scale the mean and covariance of the
 * difference between teacher and student, averaged over 3x3 pixels, and the mean and deviation of the logarithms of both distances.
 */
public final class Whitening {
    /**
     * Added to the covariance's diagonal, as a share of its mean: directions in which normal pictures hardly differ are not blown up. Between 0.003
     * and 0.3 the real categories' mean image AUROC moved by 0.004.
     */
    private static final double SHRINK = 0.03;

    private Whitening() { }

    /**
     * Puts the fitted {@code anomaly_map.*} tensors into the weights. The pictures' differences are held in native memory meanwhile: 1.6 MB a
     * picture for a MobileNet without stride 4, 3.7 MB with it.
     *
     * @param features raw teacher features [1,L,C] of picture i, finest first
     * @param count    how many pictures; all products alike
     */
    public static void fit(MmadNet net, MmadConfig config, IntFunction<List<Tensor>> features, int count, Weights weights) {
        int scales = 3 - config.finest();
        try (PointerScope scope = new PointerScope(); NoGradGuard off = new NoGradGuard()) {
            List<List<Tensor>> differences = new ArrayList<>();
            List<List<Tensor>> cosine = new ArrayList<>();
            for (int s = 0; s < scales; s++) {
                differences.add(new ArrayList<>());
                cosine.add(new ArrayList<>());
            }
            for (int i = 0; i < count; i++) {
                try (PointerScope picture = new PointerScope()) {
                    List<Tensor> teacher = net.imitated(net.normalised(features.apply(i)));
                    List<Tensor> student = net.student(net.normalised(features.apply(i)), null).features();
                    for (int s = 0; s < scales; s++) {
                        differences.get(s).add(keep(scope, averaged(teacher.get(s).sub(student.get(s)), 64 >> s + config.finest())));
                        cosine.get(s).add(keep(scope, Expectation.logDistance(teacher.get(s).squeeze(0), student.get(s).squeeze(0))));
                    }
                }
            }
            for (int s = 0; s < scales; s++) scale("anomaly_map." + (s + config.finest()) + ".", differences.get(s), cosine.get(s), weights);
        }
    }

    private static Tensor keep(PointerScope scope, Tensor t) {
        scope.attach(t);
        return t;
    }

    /** [1,L,C] to [L,C]: every pixel's mean over itself and those of its eight neighbours that there are. */
    private static Tensor averaged(Tensor rows, int side) {
        long[] three = {3, 3};
        Tensor image = torch.avg_pool2d(Torch.image(rows, side), three, new long[] {1, 1}, new long[] {1, 1}, false, false, new org.bytedeco.pytorch.LongOptional());
        return Torch.rows(image).squeeze(0);
    }

    private static void scale(String prefix, List<Tensor> differences, List<Tensor> cosine, Weights weights) {
        try (PointerScope scope = new PointerScope()) {
            int c = (int) differences.get(0).size(1);
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
            Tensor covariance = products.div(Torch.scalar(rows)).sub(torch.outer(mean, mean));
            double typical = Math.max(covariance.trace().item_double() / c, 1e-12);
            Tensor eye = torch.eye(c).to(torch.ScalarType.Double);
            covariance = covariance.add(eye.mul(Torch.scalar(SHRINK * typical)));
            // The factor L of the inverse covariance P = L L': a row times L has the squared length that P measures.
            Tensor inverse = Torch.solve(covariance, eye);
            Tensor factor = Torch.cholesky(inverse.add(inverse.t()).mul(Torch.scalar(0.5))).to(torch.ScalarType.Float);
            Tensor shift = mean.to(torch.ScalarType.Float);
            List<Tensor> white = new ArrayList<>();
            for (Tensor d : differences) {
                try (PointerScope picture = new PointerScope()) {
                    Tensor squares = d.sub(shift).mm(factor).square().mean(new long[] {1}, true, new org.bytedeco.pytorch.ScalarTypeOptional());
                    white.add(keep(scope, squares.add(Torch.scalar(MmadConfig.LEAST_DISTANCE)).log()));
                }
            }
            double[] first = moments(cosine);
            double[] second = moments(white);
            put(weights, prefix + "whiten.mean", Torch.values(shift), c);
            put(weights, prefix + "whiten.matrix", Torch.values(factor), c, c);
            put(weights, prefix + "levels", new float[] {(float) first[0], (float) first[1], (float) second[0], (float) second[1]}, 4);
        }
    }

    /** Mean and standard deviation over all pixels. */
    private static double[] moments(List<Tensor> maps) {
        double sum = 0;
        double squares = 0;
        long n = 0;
        for (Tensor m : maps) {
            for (float v : Torch.values(m)) {
                sum += v;
                squares += (double) v * v;
                n++;
            }
        }
        double mean = sum / n;
        return new double[] {mean, Math.max(Math.sqrt(Math.max(0, squares / n - mean * mean)), 1e-3)};
    }

    private static void put(Weights weights, String name, float[] values, int... shape) {
        weights.put(name, new io.linesight.mmad.model.Tensor(values, shape));
    }
}

package io.linesight.trainer.distill;

import io.linesight.trainer.torch.Torch;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/**
 * Share of the targets' variance that a student explains on held-out crops, per stride 4, 8, 16; at most 1, negative
 * when worse than the targets' mean.
 *
 * @param weighted with the components weighted as in the loss
 */
record Explained(List<Double> plain, List<Double> weighted) {
    static final Explained NOTHING = new Explained(List.of(), List.of());

    /**
     * Measures a student.
     *
     * @param side of the crops in pixels
     */
    static Explained of(
            Student student, List<TargetSpace> spaces, List<Feed.Batch> heldOut, int side, double exponent) {
        List<Double> plain = new ArrayList<>();
        List<Double> weighted = new ArrayList<>();
        for (int s = 0; s < 3; s++) {
            double[] variance = variances(heldOut, spaces.get(s).components(), s, side);
            double[] error = errors(student, spaces.get(s), heldOut, s, side);
            float[] w = spaces.get(s).weights(exponent);
            double sse = 0;
            double sst = 0;
            double wsse = 0;
            double wsst = 0;
            for (int c = 0; c < variance.length; c++) {
                sse += error[c];
                sst += variance[c];
                wsse += w[c] * error[c];
                wsst += w[c] * variance[c];
            }
            plain.add(1 - sse / sst);
            weighted.add(1 - wsse / wsst);
        }
        return new Explained(plain, weighted);
    }

    private static int images(Feed.Batch batch, int side) {
        return batch.images().length / (3 * side * side);
    }

    private static double count(List<Feed.Batch> heldOut, int side) {
        return heldOut.stream().mapToInt(b -> images(b, side)).sum();
    }

    /** Variance of every component of the targets. */
    private static double[] variances(List<Feed.Batch> heldOut, int components, int stride, int side) {
        double[] mean = new double[components];
        double[] square = new double[components];
        int cells = (side >> (2 + stride)) * (side >> (2 + stride));
        for (Feed.Batch b : heldOut) {
            float[] targets = b.targets()[stride];
            for (int i = 0; i < targets.length; i++) {
                int c = i / cells % components;
                mean[c] += targets[i] / cells;
                square[c] += (double) targets[i] * targets[i] / cells;
            }
        }
        double total = count(heldOut, side);
        for (int c = 0; c < components; c++) square[c] = square[c] / total - mean[c] / total * (mean[c] / total);
        return square;
    }

    /** Mean squared error of every component. */
    private static double[] errors(Student student, TargetSpace space, List<Feed.Batch> heldOut, int stride, int side) {
        double[] error = new double[space.components()];
        for (Feed.Batch b : heldOut) {
            int n = images(b, side);
            try (PointerScope scope = new PointerScope();
                    NoGradGuard off = new NoGradGuard()) {
                List<Tensor> out = student.forward(Torch.of(b.images(), n, 3, side, side), false);
                float[] e = Torch.values(squares(out.get(stride), b.targets()[stride], space, n, side >> (2 + stride)));
                for (int c = 0; c < error.length; c++) error[c] += e[c] * n;
            }
        }
        double total = count(heldOut, side);
        for (int c = 0; c < error.length; c++) error[c] /= total;
        return error;
    }

    /**
     * Mean squared error of every component on one batch.
     *
     * @param cells along a side
     */
    static Tensor squares(Tensor out, float[] target, TargetSpace space, int n, int cells) {
        Tensor t = Torch.of(target, n, space.components(), cells, cells);
        return out.sub(t).square().mean(0, 2, 3);
    }
}

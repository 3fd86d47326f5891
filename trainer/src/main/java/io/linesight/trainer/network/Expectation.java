package io.linesight.trainer.network;

import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.architecture.Weights;
import io.linesight.trainer.torch.Torch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.IntFunction;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Fits what {@link io.linesight.mmad.architecture.MapKind#STANDARDISED} needs: per scale, the level and spread of the
 * log distance between teacher and student that the student's own features let one expect on normal images.
 *
 * <p>One hidden layer of random units beside a linear path, solved in closed form by ridge regression: deterministic by
 * seed, no learning rate, seconds instead of epochs. First the mean of log distance is fitted, then the mean absolute
 * deviation from it.
 */
public final class Expectation {
    /**
     * Candidates, as a share of the regressors' mean square. Few images call for a stiff fit, many for a looser one.
     * Below a tenth nothing was gained on many images (simulated line: 96.0 at 0.1 and at 0.00001), and much was lost
     * on few.
     */
    private static final double[] RIDGES = {0.1, 0.3, 1, 3, 10};
    /** Every fifth image is held back to choose the ridge. */
    private static final int HELD = 5;
    /**
     * Expectations beyond this share of what the normal images gave, at either end, are cut off: a defect makes
     * features that were never seen, and what is extrapolated from them must not excuse it.
     */
    private static final double TAIL = 0.001;
    /** A spread below this share of the pixels' is not believed: there a breath of noise would count as a defect. */
    private static final double MIN_SPREAD = 0.01;

    private final MmadConfig config;
    private final Weights weights;
    private final SplittableRandom random;

    private Expectation(MmadConfig config, Weights weights, long seed) {
        this.config = config;
        this.weights = weights;
        this.random = new SplittableRandom(seed);
    }

    /**
     * Puts the fitted {@code anomaly_map.*} tensors into the weights. The images' decoder outputs are held in native
     * memory meanwhile: 0.5 MB an image for the tiny preset, 1.8 MB for base.
     *
     * @param features raw teacher features [1,L,C] of image i, finest first
     * @param count how many images; all products alike, or the rarer one's expectations will be the common one's
     */
    public static void fit(
            MmadNet net, MmadConfig config, IntFunction<List<Tensor>> features, int count, long seed, Weights weights) {
        try (PointerScope scope = new PointerScope();
                NoGradGuard off = new NoGradGuard()) {
            List<List<Tensor>> levels = new ArrayList<>();
            List<List<Tensor>> distances = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                try (PointerScope image = new PointerScope()) {
                    List<Tensor> teacher = net.normalised(features.apply(i));
                    MmadNet.Student student = net.student(teacher, null);
                    List<Tensor> kept = new ArrayList<>();
                    List<Tensor> log = new ArrayList<>();
                    for (int s = config.finest(); s < 3; s++) {
                        kept.add(Torch.keep(
                                scope, student.levels().get(3 - s).squeeze(0).contiguous()));
                        log.add(Torch.keep(
                                scope,
                                logDistance(
                                        teacher.get(s).squeeze(0),
                                        student.features()
                                                .get(s - config.finest())
                                                .squeeze(0))));
                    }
                    levels.add(kept);
                    distances.add(log);
                }
            }
            Expectation e = new Expectation(config, weights, seed);
            for (int s = config.finest(); s < 3; s++) {
                int at = s - config.finest();
                e.scale(
                        s,
                        levels.stream().map(l -> l.get(at)).toList(),
                        levels.stream().map(l -> l.get(l.size() - 1)).toList(),
                        distances.stream().map(d -> d.get(at)).toList());
            }
        }
    }

    /** ln(1 - cos + 1e-6) per pixel, [L,1], as half the squared distance of unit vectors like in the served graph. */
    static Tensor logDistance(Tensor t, Tensor s) {
        Tensor difference = unit(t).sub(unit(s));
        Tensor half = difference
                .square()
                .sum(new long[] {1}, true, new org.bytedeco.pytorch.ScalarTypeOptional())
                .mul(Torch.scalar(0.5));
        return half.add(Torch.scalar(MmadConfig.MIN_DISTANCE)).log();
    }

    private static Tensor unit(Tensor x) {
        Tensor length = x.square()
                .sum(new long[] {1}, true, new org.bytedeco.pytorch.ScalarTypeOptional())
                .sqrt();
        return x.div(length.clamp_min(Torch.scalar(1e-8)));
    }

    private void scale(int scale, List<Tensor> pixels, List<Tensor> contexts, List<Tensor> log) {
        try (PointerScope scope = new PointerScope()) {
            int side = 64 >> scale;
            boolean withContext = scale < 2;
            List<Tensor> inputs = new ArrayList<>();
            for (int i = 0; i < pixels.size(); i++) {
                inputs.add(
                        withContext ? Torch.concat(1, pixels.get(i), repeated(contexts.get(i), side)) : pixels.get(i));
            }
            RandomUnits units = randomUnits(inputs);
            IntFunction<Tensor> regressors = units.regressors(inputs);
            Split split = Split.of(regressors, inputs.size());
            Tensor level = split.solve(log);
            List<Tensor> expected = predictions(regressors, level, inputs.size());
            float[] sorted = sorted(expected);
            float low = quantile(sorted, TAIL);
            float high = quantile(sorted, 1 - TAIL);
            List<Tensor> deviation = new ArrayList<>();
            for (int i = 0; i < log.size(); i++) {
                deviation.add(log.get(i)
                        .sub(expected.get(i).clamp_min(Torch.scalar(low)).clamp_max(Torch.scalar(high)))
                        .abs());
            }
            Tensor spread = split.solve(deviation);
            float[] spreads = sorted(predictions(regressors, spread, inputs.size()));
            float min = Math.max(quantile(spreads, MIN_SPREAD), 1e-3f);
            float max = Math.max(quantile(spreads, 1 - TAIL), min);
            float[] limits = {low, high, min, max};
            write(scale, withContext, units, Torch.values(level), Torch.values(spread), limits);
        }
    }

    /**
     * The hidden layer. Random units see standardised inputs; the weights have the standardisation folded in.
     *
     * @param weight {@code [units, width]} row-major
     * @param moments mean and standard deviation of every input
     */
    private record RandomUnits(int width, float[] weight, float[] bias, float[][] moments) {
        /** Of input i: the hidden units, the standardised input and a constant. */
        IntFunction<Tensor> regressors(List<Tensor> inputs) {
            Tensor hiddenWeight = Torch.of(weight, bias.length, width);
            Tensor hiddenBias = Torch.of(bias, bias.length);
            Tensor shift = Torch.of(moments[0], width);
            Tensor inverse = Torch.of(inverse(moments[1]), width);
            return i -> {
                Tensor x = inputs.get(i);
                Tensor h = torch.relu(Torch.linear(x, hiddenWeight, hiddenBias));
                return Torch.concat(1, h, x.sub(shift).mul(inverse), torch.ones(new long[] {x.size(0), 1}));
            };
        }
    }

    private RandomUnits randomUnits(List<Tensor> inputs) {
        int units = MmadConfig.EXPECTATION_UNITS;
        int width = (int) inputs.get(0).size(1);
        float[][] moments = moments(inputs, width);
        float[] weight = new float[units * width];
        float[] bias = new float[units];
        for (int h = 0; h < units; h++) {
            bias[h] = (float) (0.5 * gauss());
            for (int k = 0; k < width; k++) {
                float w = (float) (gauss() / Math.sqrt(width)) / moments[1][k];
                weight[h * width + k] = w;
                bias[h] -= w * moments[0][k];
            }
        }
        return new RandomUnits(width, weight, bias, moments);
    }

    private void write(
            int scale, boolean withContext, RandomUnits hidden, float[] level, float[] spread, float[] limits) {
        int units = hidden.bias.length;
        int width = hidden.width;
        float[][] moments = hidden.moments;
        int context = withContext ? config.levelChannels().get(1) : 0;
        int pixel = width - context;
        String prefix = "anomaly_map." + scale + ".";
        float[][] solved = {level, spread};
        float[] linear = new float[2 * width];
        float[] constant = new float[2];
        float[] fromHidden = new float[2 * units];
        for (int o = 0; o < 2; o++) {
            System.arraycopy(solved[o], 0, fromHidden, o * units, units);
            double sum = solved[o][units + width];
            for (int k = 0; k < width; k++) {
                linear[o * width + k] = solved[o][units + k] / moments[1][k];
                sum -= (double) linear[o * width + k] * moments[0][k];
            }
            constant[o] = (float) sum;
        }
        put(prefix + "hidden.pixel", columns(hidden.weight, width, 0, pixel), units, pixel);
        put(prefix + "expect.pixel", columns(linear, width, 0, pixel), 2, pixel);
        if (withContext) {
            put(prefix + "hidden.context", columns(hidden.weight, width, pixel, width), units, context);
            put(prefix + "expect.context", columns(linear, width, pixel, width), 2, context);
        }
        put(prefix + "hidden.bias", hidden.bias, units);
        put(prefix + "expect.hidden", fromHidden, 2, units);
        put(prefix + "expect.bias", constant, 2);
        put(prefix + "limits", limits, 4);
    }

    private void put(String name, float[] values, int... shape) {
        weights.put(name, new io.linesight.mmad.architecture.Tensor(values, shape));
    }

    private static float[] columns(float[] matrix, int width, int from, int to) {
        int rows = matrix.length / width;
        float[] out = new float[rows * (to - from)];
        for (int r = 0; r < rows; r++) System.arraycopy(matrix, r * width + from, out, r * (to - from), to - from);
        return out;
    }

    private double gauss() {
        return Math.sqrt(-2 * Math.log(1 - random.nextDouble())) * Math.cos(2 * Math.PI * random.nextDouble());
    }

    /** A 16x16 map [256,c] with every pixel repeated to fill side x side. */
    private static Tensor repeated(Tensor x, int side) {
        int times = side / 16;
        long c = x.size(1);
        return x.view(16, 1, 16, 1, c).expand(16, times, 16, times, c).reshape((long) side * side, c);
    }

    /** Mean and standard deviation of every column over all rows of all inputs. */
    private static float[][] moments(List<Tensor> inputs, int width) {
        double[] sum = new double[width];
        double[] squares = new double[width];
        long rows = 0;
        for (Tensor x : inputs) {
            float[] s = Torch.values(x.sum(new long[] {0}));
            float[] q = Torch.values(x.square().sum(new long[] {0}));
            for (int k = 0; k < width; k++) {
                sum[k] += s[k];
                squares[k] += q[k];
            }
            rows += x.size(0);
        }
        float[][] out = new float[2][width];
        for (int k = 0; k < width; k++) {
            double mean = sum[k] / rows;
            out[0][k] = (float) mean;
            out[1][k] = (float) Math.max(Math.sqrt(Math.max(0, squares[k] / rows - mean * mean)), 1e-6);
        }
        return out;
    }

    private static float[] inverse(float[] v) {
        float[] out = new float[v.length];
        for (int i = 0; i < v.length; i++) out[i] = 1 / v[i];
        return out;
    }

    /**
     * Sums of products of regressors, those of every fifth image apart so that the ridge can be chosen on images it was
     * not solved for.
     */
    private record Split(IntFunction<Tensor> regressors, Tensor fitted, Tensor held) {
        static Split of(IntFunction<Tensor> regressors, int count) {
            IntFunction<Tensor> product = i -> {
                Tensor p = regressors.apply(i);
                return p.t().mm(p);
            };
            return new Split(regressors, accumulated(count, false, product), accumulated(count, true, product));
        }

        /** Weights [regressors, 1] of the ridge that predicts the held images best, solved over all images. */
        Tensor solve(List<Tensor> targets) {
            IntFunction<Tensor> product = i -> regressors.apply(i).t().mm(targets.get(i));
            Tensor right = accumulated(targets.size(), false, product);
            Tensor heldRight = accumulated(targets.size(), true, product);
            double best = RIDGES[0];
            double min = Double.POSITIVE_INFINITY;
            for (double ridge : RIDGES) {
                Tensor w = ridge(fitted, right, ridge);
                // Squared error on the held images, less what does not depend on w.
                double error = w.t().mm(held.mm(w)).item_double()
                        - 2 * w.t().mm(heldRight).item_double();
                if (error < min) {
                    min = error;
                    best = ridge;
                }
            }
            return ridge(fitted.add(held), right.add(heldRight), best).to(torch.ScalarType.Float);
        }

        private static Tensor ridge(Tensor gram, Tensor right, double ridge) {
            int n = (int) gram.size(0);
            float[] diagonal = new float[n * n];
            double each = ridge * gram.trace().item_double() / n;
            // The constant, last, is not held back: with all else held back it is the mean.
            for (int i = 0; i < n - 1; i++) diagonal[i * n + i] = (float) each;
            return Torch.solve(gram.add(Torch.of(diagonal, n, n)), right);
        }

        /** Sum of float matrices over the images of one side, in double. */
        private static Tensor accumulated(int count, boolean held, IntFunction<Tensor> term) {
            Tensor sum = null;
            for (int i = 0; i < count; i++) {
                // A single image has to serve for both.
                if (count > 1 && (i % HELD == HELD - 1 || i == count - 1 && count < HELD) != held) continue;
                try (PointerScope scope = new PointerScope()) {
                    Tensor t = term.apply(i).to(torch.ScalarType.Double);
                    if (sum == null) {
                        sum = t;
                        sum.retainReference();
                    } else {
                        sum.add_(t);
                    }
                }
            }
            PointerScope.getInnerScope().attach(sum);
            sum.releaseReference();
            return sum;
        }
    }

    private static List<Tensor> predictions(IntFunction<Tensor> regressors, Tensor solved, int count) {
        List<Tensor> out = new ArrayList<>();
        for (int i = 0; i < count; i++) out.add(regressors.apply(i).mm(solved));
        return out;
    }

    private static float[] sorted(List<Tensor> maps) {
        int n = 0;
        for (Tensor m : maps) n += (int) m.numel();
        float[] all = new float[n];
        int at = 0;
        for (Tensor m : maps) {
            float[] v = Torch.values(m);
            System.arraycopy(v, 0, all, at, v.length);
            at += v.length;
        }
        Arrays.sort(all);
        return all;
    }

    private static float quantile(float[] sorted, double q) {
        return sorted[(int) Math.round(q * (sorted.length - 1))];
    }
}

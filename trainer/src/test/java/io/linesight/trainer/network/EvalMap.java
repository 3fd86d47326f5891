package io.linesight.trainer.network;

import io.linesight.mmad.architecture.MapKind;
import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.architecture.ParameterSpecs;
import io.linesight.mmad.architecture.Weights;
import io.linesight.trainer.torch.Torch;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/**
 * Smoothed anomaly map of one image from the libtorch network in eval mode (MMAD_SPEC section 11), written apart from
 * the ONNX graph.
 */
public final class EvalMap {
    private EvalMap() {}

    /** @param features encoder features [1,C,S,S] of one image, finest first */
    public static float[] of(MmadConfig config, Weights weights, float[][] features) {
        double[] sum = new double[256 * 256];
        try (PointerScope scope = new PointerScope();
                NoGradGuard off = new NoGradGuard();
                Parameters p = new Parameters(ParameterSpecs.of(config), weights);
                MmadNet net = new MmadNet(config, p)) {
            List<Tensor> raw = new ArrayList<>();
            for (int i = 0; i < 3; i++)
                raw.add(Torch.rows(
                        Torch.of(features[i], 1, config.encoderChannels().get(i), 64 >> i, 64 >> i)));
            List<Tensor> teacher = net.normalised(raw);
            MmadNet.Student student = net.student(teacher, null);
            for (int i = config.finest(); i < 3; i++) {
                int side = 64 >> i;
                float[] imitated = Torch.values(teacher.get(i));
                float[] imitation = Torch.values(student.features().get(i - config.finest()));
                double[] d = distance(imitated, imitation, side * side);
                if (config.map() == MapKind.WHITENED)
                    whiten(
                            d,
                            imitated,
                            imitation,
                            i,
                            group(config, Torch.values(teacher.get(2)), weights),
                            weights,
                            9.0 / (3 - config.finest()));
                if (config.map() == MapKind.STANDARDISED) {
                    standardise(
                            d,
                            i,
                            Torch.values(student.levels().get(3 - i)),
                            Torch.values(student.levels().get(1)),
                            weights);
                }
                for (int y = 0; y < 256; y++) {
                    for (int x = 0; x < 256; x++) sum[y * 256 + x] += bilinear(d, side, y, x) / 9;
                }
            }
        }
        double[] smooth = blur(blur(sum, 1), 256);
        float[] map = new float[smooth.length];
        for (int i = 0; i < map.length; i++) map[i] = (float) smooth[i];
        return map;
    }

    private static double[] distance(float[] t, float[] s, int pixels) {
        int c = t.length / pixels;
        double[] d = new double[pixels];
        for (int q = 0; q < pixels; q++) {
            double ts = 0;
            double tt = 0;
            double ss = 0;
            for (int k = q * c; k < (q + 1) * c; k++) {
                ts += (double) t[k] * s[k];
                tt += (double) t[k] * t[k];
                ss += (double) s[k] * s[k];
            }
            d[q] = 1 - ts / (Math.max(Math.sqrt(tt), 1e-8) * Math.max(Math.sqrt(ss), 1e-8));
        }
        return d;
    }

    /** The group whose centre the image's mean feature is nearest to. */
    private static int group(MmadConfig config, float[] coarsest, Weights weights) {
        if (config.groups() < 2) return 0;
        float[] centre = weights.get("anomaly_map.groups.centre").data();
        float[] scale = weights.get("anomaly_map.groups.scale").data();
        int c = scale.length;
        int nearest = 0;
        double min = Double.POSITIVE_INFINITY;
        for (int g = 0; g < config.groups(); g++) {
            double away = 0;
            for (int k = 0; k < c; k++) {
                double mean = 0;
                for (int q = 0; q < 256; q++) mean += coarsest[q * c + k] / 256.0;
                away += Math.pow((mean - centre[g * c + k]) * scale[k], 2);
            }
            if (away < min) {
                min = away;
                nearest = g;
            }
        }
        return nearest;
    }

    /** Sum of both excesses of the log distances, each in deviations. */
    private static void whiten(
            double[] d, float[] teacher, float[] student, int scale, int group, Weights weights, double times) {
        int side = 64 >> scale;
        int pixels = side * side;
        int c = teacher.length / pixels;
        String prefix = "anomaly_map." + scale + ".";
        float[] mean = weights.get(prefix + "whiten.mean").data();
        float[] matrix = weights.get(prefix + "whiten.matrix").data();
        float[] levels = weights.get(prefix + "levels").data();
        for (int y = 0; y < side; y++) {
            for (int x = 0; x < side; x++) {
                double[] residual = new double[c];
                int n = 0;
                for (int v = Math.max(0, y - 1); v <= Math.min(side - 1, y + 1); v++) {
                    for (int u = Math.max(0, x - 1); u <= Math.min(side - 1, x + 1); u++) {
                        n++;
                        for (int k = 0; k < c; k++)
                            residual[k] += (double) teacher[(v * side + u) * c + k] - student[(v * side + u) * c + k];
                    }
                }
                double squares = 0;
                for (int j = 0; j < c; j++) {
                    double white = 0;
                    for (int k = 0; k < c; k++)
                        white += (residual[k] / n - mean[group * c + k]) * matrix[(group * c + k) * c + j];
                    squares += white * white;
                }
                int at = y * side + x;
                double cosine = (Math.log(d[at] + 1e-6) - levels[4 * group * pixels + at])
                        / levels[(4 * group + 1) * pixels + at];
                double mahalanobis = (Math.log(squares / c + 1e-6) - levels[(4 * group + 2) * pixels + at])
                        / levels[(4 * group + 3) * pixels + at];
                d[at] = times * Math.max(0, cosine + mahalanobis);
            }
        }
    }

    /**
     * Excess over the expected log distance in expected deviations, three times (the map is divided by nine, of which
     * three for the scales).
     */
    private static void standardise(double[] d, int scale, float[] pixel, float[] context, Weights weights) {
        String prefix = "anomaly_map." + scale + ".";
        int side = 64 >> scale;
        int c = pixel.length / (side * side);
        int k = context.length / 256;
        float[] limits = weights.get(prefix + "limits").data();
        float[] bias = weights.get(prefix + "hidden.bias").data();
        for (int q = 0; q < d.length; q++) {
            int at = q / side * 16 / side * 16 + q % side * 16 / side;
            double[] out = new double[2];
            for (int o = 0; o < 2; o++) {
                out[o] = weights.get(prefix + "expect.bias").data()[o]
                        + dot(weights.get(prefix + "expect.pixel").data(), o, pixel, q, c);
                if (scale < 2)
                    out[o] += dot(weights.get(prefix + "expect.context").data(), o, context, at, k);
            }
            for (int h = 0; h < bias.length; h++) {
                double unit = bias[h] + dot(weights.get(prefix + "hidden.pixel").data(), h, pixel, q, c);
                if (scale < 2)
                    unit += dot(weights.get(prefix + "hidden.context").data(), h, context, at, k);
                for (int o = 0; o < 2; o++)
                    out[o] += Math.max(0, unit)
                            * weights.get(prefix + "expect.hidden").data()[o * bias.length + h];
            }
            double level = Math.min(Math.max(out[0], limits[0]), limits[1]);
            d[q] = 3 * Math.max(0, (Math.log(d[q] + 1e-6) - level) / Math.min(Math.max(out[1], limits[2]), limits[3]));
        }
    }

    private static double dot(float[] matrix, int row, float[] rows, int at, int n) {
        double sum = 0;
        for (int i = 0; i < n; i++) sum += (double) matrix[row * n + i] * rows[at * n + i];
        return sum;
    }

    private static double bilinear(double[] d, int side, int y, int x) {
        double fy = y * (side - 1) / 255.0;
        double fx = x * (side - 1) / 255.0;
        int y0 = (int) fy;
        int x0 = (int) fx;
        int y1 = Math.min(side - 1, y0 + 1);
        int x1 = Math.min(side - 1, x0 + 1);
        double wy = fy - y0;
        double wx = fx - x0;
        return (1 - wy) * ((1 - wx) * d[y0 * side + x0] + wx * d[y0 * side + x1])
                + wy * ((1 - wx) * d[y1 * side + x0] + wx * d[y1 * side + x1]);
    }

    private static double[] blur(double[] map, int stride) {
        double[] w = new double[33];
        double total = 0;
        for (int i = -16; i <= 16; i++) total += w[i + 16] = Math.exp(-i * i / 32.0);
        double[] out = new double[map.length];
        for (int a = 0; a < map.length; a++) {
            int at = a / stride % 256;
            for (int i = -16; i <= 16; i++) {
                int to = at + i;
                if (to < 0) to = -1 - to;
                if (to > 255) to = 511 - to;
                out[a] += w[i + 16] / total * map[a + (to - at) * stride];
            }
        }
        return out;
    }
}

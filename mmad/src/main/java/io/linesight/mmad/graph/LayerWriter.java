package io.linesight.mmad.graph;

import io.linesight.mmad.architecture.Tensor;
import io.linesight.mmad.architecture.Weights;
import io.linesight.mmad.onnx.OnnxGraph;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Writes single layers and constants into a graph. All blocks of a network share one, so that a tensor that several of
 * them use is written once.
 */
final class LayerWriter {
    static final float LN_EPS = 1e-5f;
    static final float CLN_EPS = 1e-6f;

    private final OnnxGraph g;
    private final Weights weights;
    private final Set<String> written = new HashSet<>();
    private final Map<String, String> taps = new LinkedHashMap<>();

    LayerWriter(OnnxGraph graph, Weights weights) {
        this.g = graph;
        this.weights = weights;
    }

    OnnxGraph graph() {
        return g;
    }

    /** Remembers an intermediate value for tests. */
    void tap(String name, String value) {
        taps.put(name, value);
    }

    Map<String, String> taps() {
        return taps;
    }

    /** Whether this is the first mention of a constant, which is then to be written. */
    boolean isNew(String name) {
        return written.add(name);
    }

    String param(String name) {
        if (written.add(name)) g.tensor(name, weights.get(name));
        return name;
    }

    int[] shape(String name) {
        return weights.get(name).shape();
    }

    /** One tensor per group, transformed and stacked along an axis. */
    String stack(List<String> prefixes, String suffix, int axis, Function<String, String> transform) {
        List<String> parts = new ArrayList<>();
        for (String p : prefixes) parts.add(transform.apply(param(p + suffix)));
        return g.concat(axis, parts);
    }

    /**
     * Block-diagonal matrix from equal blocks.
     *
     * @param blocks [n*a, b]
     * @return [n*a, n*b]
     */
    String blockDiagonal(String blocks, int n, int a, int b) {
        if (n == 1) return blocks;
        String spread = g.mul(g.reshape(blocks, n, a, 1, b), eye(n, n, 1, n, 1));
        return g.reshape(spread, (long) n * a, (long) n * b);
    }

    String eye(int n, int... shape) {
        float[] v = new float[n * n];
        for (int i = 0; i < n; i++) v[i * n + i] = 1;
        return constant("const.eye" + Arrays.toString(shape), v, shape);
    }

    String ones(int n) {
        float[] v = new float[n];
        Arrays.fill(v, 1);
        return constant("const.ones" + n, v, n);
    }

    String zeros(int n) {
        return constant("const.zeros" + n, new float[n], n);
    }

    /** A constant that several layers may share. */
    String constant(String name, float[] values, int... shape) {
        if (written.add(name)) g.tensor(name, new Tensor(values, shape));
        return name;
    }

    /**
     * x times the transposed weight of a linear layer or 1x1 convolution ([out, in] or [out, in, 1, 1]), plus its bias
     * if it has one.
     */
    String linear(String x, String prefix) {
        int[] s = shape(prefix + ".weight");
        String w = param(prefix + ".weight");
        if (s.length == 4) w = g.reshape(w, s[0], s[1]);
        String y = g.matmul(x, g.transpose(w, 1, 0));
        return weights.has(prefix + ".bias") ? g.add(y, param(prefix + ".bias")) : y;
    }

    String conv(String x, String prefix, int stride, int dilation) {
        int[] s = shape(prefix + ".weight");
        return conv(
                x,
                param(prefix + ".weight"),
                weights.has(prefix + ".bias") ? param(prefix + ".bias") : null,
                s[2],
                stride,
                dilation,
                1);
    }

    String conv(String x, String weight, @Nullable String bias, int kernel, int stride, int dilation, int groups) {
        int pad = dilation * (kernel / 2);
        OnnxGraph.Node n = bias == null ? g.op("Conv", x, weight) : g.op("Conv", x, weight, bias);
        return n.attrs("kernel_shape", kernel, kernel)
                .attrs("strides", stride, stride)
                .attrs("pads", pad, pad, pad, pad)
                .attrs("dilations", dilation, dilation)
                .attr("group", groups)
                .out();
    }

    String batchNorm(String x, String prefix) {
        return g.op(
                        "BatchNormalization",
                        x,
                        param(prefix + ".weight"),
                        param(prefix + ".bias"),
                        param(prefix + ".running_mean"),
                        param(prefix + ".running_var"))
                .attr("epsilon", 1e-5f)
                .out();
    }

    String relu(String x) {
        return g.op("Relu", x).out();
    }

    String norm(String x, String prefix, float eps) {
        return g.layerNorm(x, param(prefix + ".weight"), param(prefix + ".bias"), eps);
    }

    /** [B,C,S,S] to [B,S*S,C]. */
    String channelsLast(String x, int channels) {
        return g.reshape(g.transpose(x, 0, 2, 3, 1), 0, -1, channels);
    }

    /** [B,S*S,C] to [B,C,S,S]. */
    String channelsFirst(String x, int channels, int side) {
        return g.transpose(g.reshape(x, 0, side, side, channels), 0, 3, 1, 2);
    }
}

package io.linesight.mmad.graph;

import io.linesight.mmad.architecture.FeatureNorm;
import io.linesight.mmad.architecture.MapKind;
import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.architecture.ParameterSpecs;
import io.linesight.mmad.architecture.ScanKind;
import io.linesight.mmad.architecture.ScanOrders;
import io.linesight.mmad.architecture.Tensor;
import io.linesight.mmad.architecture.Weights;
import io.linesight.mmad.onnx.OnnxGraph;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Function;

/**
 * Writes the fuser and the decoder (MMAD_SPEC sections 3 to 7, simplified as in section 13, rule "expected" per image).
 *
 * <p>Weights go into the graph raw, under their state-dict names; whatever can be computed from weights alone (stacking
 * the groups of a mixer, folding norms, A = -exp(A_logs)) is written as operators on constants, which the runtime
 * evaluates once when it loads the file.
 *
 * <p>Layout: maps are kept channels-last, {@code [B,L,C]} with L = side*side, because layer norms, products and the
 * scan want them so; convolutions see {@code [B,C,S,S]} between two transposes, which the CPU runtime merges with its
 * own reordering.
 */
final class NetworkWriter {
    private static final int DIRECTIONS = MmadConfig.DIRECTIONS;
    private static final int STATES = MmadConfig.STATES;
    private static final float LN_EPS = 1e-5f;
    private static final float CLN_EPS = 1e-6f;
    private static final float SLOPE = 0.1f;
    /** Groups of at most so many channels are normalised by products instead of row by row. */
    private static final int NARROW = 64;
    /** Maps of at most this side are small. */
    private static final int SMALL = 16;

    private final OnnxGraph g;
    private final Weights weights;
    private final Set<String> written = new HashSet<>();
    private final Map<String, String> taps = new LinkedHashMap<>();
    private int keepMasks;
    /** What the decoder's levels give before any projection to the encoder's channels, coarsest first. */
    private final List<String> levels = new ArrayList<>();

    NetworkWriter(OnnxGraph graph, Weights weights) {
        this.g = graph;
        this.weights = weights;
    }

    /** Intermediate values by the name tests know them by; values are channels-last where the network keeps them so. */
    Map<String, String> taps() {
        return taps;
    }

    // ---- weights ----

    private String param(String name) {
        if (written.add(name)) g.tensor(name, weights.get(name));
        return name;
    }

    private int[] shape(String name) {
        return weights.get(name).shape();
    }

    /** One tensor per group, transformed and stacked along an axis. */
    private String stack(List<String> prefixes, String suffix, int axis, Function<String, String> transform) {
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
    private String blockDiagonal(String blocks, int n, int a, int b) {
        if (n == 1) return blocks;
        String spread = g.mul(g.reshape(blocks, n, a, 1, b), eye(n, n, 1, n, 1));
        return g.reshape(spread, (long) n * a, (long) n * b);
    }

    private String eye(int n, int... shape) {
        float[] v = new float[n * n];
        for (int i = 0; i < n; i++) v[i * n + i] = 1;
        return constant("const.eye" + Arrays.toString(shape), v, shape);
    }

    private String ones(int n) {
        float[] v = new float[n];
        Arrays.fill(v, 1);
        return constant("const.ones" + n, v, n);
    }

    private String zeros(int n) {
        return constant("const.zeros" + n, new float[n], n);
    }

    /** A constant that several layers may share. */
    private String constant(String name, float[] values, int... shape) {
        if (written.add(name)) g.tensor(name, new Tensor(values, shape));
        return name;
    }

    // ---- pieces ----

    /**
     * x times the transposed weight of a linear layer or 1x1 convolution ([out, in] or [out, in, 1, 1]), plus its bias
     * if it has one.
     */
    private String linear(String x, String prefix) {
        int[] s = shape(prefix + ".weight");
        String w = param(prefix + ".weight");
        if (s.length == 4) w = g.reshape(w, s[0], s[1]);
        String y = g.matmul(x, g.transpose(w, 1, 0));
        return weights.has(prefix + ".bias") ? g.add(y, param(prefix + ".bias")) : y;
    }

    private String conv(String x, String prefix, int stride, int dilation) {
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

    private String conv(String x, String weight, String biasOrNull, int kernel, int stride, int dilation, int groups) {
        int pad = dilation * (kernel / 2);
        OnnxGraph.Node n = biasOrNull == null ? g.op("Conv", x, weight) : g.op("Conv", x, weight, biasOrNull);
        return n.attrs("kernel_shape", kernel, kernel)
                .attrs("strides", stride, stride)
                .attrs("pads", pad, pad, pad, pad)
                .attrs("dilations", dilation, dilation)
                .attr("group", groups)
                .out();
    }

    private String batchNorm(String x, String prefix) {
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

    private String relu(String x) {
        return g.op("Relu", x).out();
    }

    private String norm(String x, String prefix, float eps) {
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

    // ---- selective scan ----

    /**
     * One VSSBlock per group, all groups in one go: x + SS2D(LN(x)).
     *
     * @param x [B, L, G*C], group-major channels
     * @param prefixes of the groups' VSSBlocks
     */
    String vssBlocks(String x, List<String> prefixes, int channels, int side, ScanKind kind) {
        int groups = prefixes.size();
        String normal = groupNorm(x, groups, channels, null, null);
        List<String> attention =
                prefixes.stream().map(p -> p + ".self_attention").toList();
        return g.add(x, ss2d(normal, attention, prefixes, channels, side, kind));
    }

    /**
     * Layer norm within each group of channels.
     *
     * @param x [B, L, groups*width]
     * @param weightOrNull [groups*width], null together with the bias for none
     */
    private String groupNorm(String x, int groups, int width, String weightOrNull, String biasOrNull) {
        if (groups == 1) return g.layerNorm(x, weightOrNull == null ? ones(width) : weightOrNull, biasOrNull, LN_EPS);
        int all = groups * width;
        if (width > NARROW) {
            String y =
                    g.reshape(g.layerNorm(g.reshape(x, 0, -1, groups, width), ones(width), null, LN_EPS), 0, -1, all);
            return weightOrNull == null ? y : g.add(g.mul(y, weightOrNull), biasOrNull);
        }
        // The runtime's LayerNormalization costs much per row, which narrow rows do not repay: sums within groups are
        // products with a constant.
        float[] mean = new float[all * groups];
        float[] spread = new float[groups * all];
        for (int c = 0; c < all; c++) {
            mean[c * groups + c / width] = 1f / width;
            spread[c / width * all + c] = 1;
        }
        String toMean = constant("const.group_mean." + groups + "x" + width, mean, all, groups);
        String toAll = constant("const.group_spread." + groups + "x" + width, spread, groups, all);
        String centred = g.sub(x, g.matmul(g.matmul(x, toMean), toAll));
        String variance = g.matmul(g.mul(centred, centred), toMean);
        String scale = g.op(
                        "Reciprocal",
                        g.op("Sqrt", g.add(variance, g.scalar(LN_EPS))).out())
                .out();
        if (weightOrNull == null) return g.mul(centred, g.matmul(scale, toAll));
        return g.add(g.mul(centred, g.matmul(scale, g.mul(toAll, weightOrNull))), biasOrNull);
    }

    /**
     * SS2D of every group.
     *
     * @param x [B, L, G*C], normalised without scale and shift when normPrefixes are given
     * @param normPrefixes blocks whose {@code ln_1} scale and shift are folded into the input projection; null for none
     */
    String ss2d(String x, List<String> prefixes, List<String> normPrefixes, int channels, int side, ScanKind kind) {
        int groups = prefixes.size();
        int c = channels;
        int d = 2 * c;
        int r = ParameterSpecs.dtRank(c);
        int all = groups * d;
        String outer = g.scope();

        g.scope(outer + "/in_proj");
        List<String> inU = new ArrayList<>();
        List<String> inZ = new ArrayList<>();
        List<String> biasU = new ArrayList<>();
        List<String> biasZ = new ArrayList<>();
        for (int i = 0; i < groups; i++) {
            String w = param(prefixes.get(i) + ".in_proj.weight");
            String scaled = normPrefixes == null ? w : g.mul(w, param(normPrefixes.get(i) + ".ln_1.weight"));
            List<String> halves = g.split(g.transpose(scaled, 1, 0), 1, d, d);
            inU.add(halves.get(0));
            inZ.add(halves.get(1));
            if (normPrefixes != null) {
                List<String> b =
                        g.split(g.matmul(param(normPrefixes.get(i) + ".ln_1.bias"), g.transpose(w, 1, 0)), 0, d, d);
                biasU.add(b.get(0));
                biasZ.add(b.get(1));
            }
        }
        String u = g.matmul(x, blockDiagonal(g.concat(0, inU), groups, c, d));
        String z = g.matmul(x, blockDiagonal(g.concat(0, inZ), groups, c, d));
        if (normPrefixes != null) {
            u = g.add(u, g.concat(0, biasU));
            z = g.add(z, g.concat(0, biasZ));
        }

        g.scope(outer + "/conv2d");
        String convIn = channelsFirst(u, all, side);
        String convOut = conv(
                convIn,
                stack(prefixes, ".conv2d.weight", 0, w -> w),
                stack(prefixes, ".conv2d.bias", 0, b -> b),
                3,
                1,
                1,
                all);
        u = g.silu(channelsLast(convOut, all));

        g.scope(outer + "/x_proj");
        List<String> toR = new ArrayList<>();
        List<String> toB = new ArrayList<>();
        List<String> toC = new ArrayList<>();
        for (String p : prefixes) {
            List<String> parts = g.split(param(p + ".x_proj_weight"), 1, r, STATES, STATES);
            // [K,R,D] to [D,K,1,R], spread over the groups below; [K,N,D] to [1,D,K*N].
            toR.add(g.reshape(g.transpose(parts.get(0), 2, 0, 1), 1, d, DIRECTIONS, 1, r));
            toB.add(g.reshape(g.transpose(parts.get(1), 2, 0, 1), 1, d, (long) DIRECTIONS * STATES));
            toC.add(g.reshape(g.transpose(parts.get(2), 2, 0, 1), 1, d, (long) DIRECTIONS * STATES));
        }
        String ranks = groups == 1 ? toR.get(0) : g.mul(g.concat(0, toR), eye(groups, groups, 1, 1, groups, 1));
        String low = g.matmul(u, g.reshape(ranks, all, (long) DIRECTIONS * groups * r));
        String dt = steps(low, prefixes, d, r, side);
        String byGroup = groups == 1 ? u : g.transpose(g.reshape(u, 0, -1, groups, d), 0, 2, 1, 3);
        String gateB = gate(byGroup, g.concat(0, toB), groups);
        String gateC = gate(byGroup, g.concat(0, toC), groups);

        g.scope(outer + "/scan");
        String a = stack(prefixes, ".A_logs", 1, w -> g.reshape(w, DIRECTIONS, d, STATES));
        a = g.op(
                        "Neg",
                        g.op("Exp", g.reshape(a, (long) DIRECTIONS * all, STATES))
                                .out())
                .out();
        String skip = g.reduce("ReduceSum", stack(prefixes, ".Ds", 1, w -> g.reshape(w, DIRECTIONS, d)), false, 0);
        String bias = g.reshape(stack(prefixes, ".dt_projs_bias", 1, w -> w), (long) DIRECTIONS * all);
        String y = SelectiveScanFunction.call(
                g, groups, DIRECTIONS, all, u, dt, gateB, gateC, a, skip, bias, order(kind, side));
        taps.put(outer + ".y_before_norm", y);

        g.scope(outer + "/out_proj");
        String normed = groupNorm(
                y,
                groups,
                d,
                stack(prefixes, ".out_norm.weight", 0, w -> w),
                stack(prefixes, ".out_norm.bias", 0, b -> b));
        String out = stack(prefixes, ".out_proj.weight", 0, w -> g.transpose(w, 1, 0));
        String projected = g.matmul(g.mul(normed, g.silu(z)), blockDiagonal(out, groups, d, c));
        g.scope(outer);
        return projected;
    }

    /**
     * Expands the low-rank steps [B, L, K*G*R] to [B, L, K*G*D]. On small maps each direction is multiplied by itself
     * and the results are interleaved; on large ones, where copying the result costs more than multiplying by zeros,
     * all are one product.
     */
    private String steps(String low, List<String> prefixes, int d, int r, int side) {
        int groups = prefixes.size();
        // [K,D,R] of every group to [K,G,R,D].
        String expand =
                stack(prefixes, ".dt_projs_weight", 1, w -> g.reshape(g.transpose(w, 0, 2, 1), DIRECTIONS, 1, r, d));
        if (side > SMALL)
            return g.matmul(
                    low,
                    blockDiagonal(g.reshape(expand, (long) DIRECTIONS * groups * r, d), DIRECTIONS * groups, r, d));
        String blocks = g.reshape(expand, DIRECTIONS, groups, r, 1, d);
        if (groups > 1) blocks = g.mul(blocks, eye(groups, 1, groups, 1, groups, 1));
        String perDirection = g.reshape(blocks, DIRECTIONS, (long) groups * r, (long) groups * d);
        String byDirection = g.transpose(g.reshape(low, 0, -1, DIRECTIONS, (long) groups * r), 0, 2, 1, 3);
        String wide = g.transpose(g.matmul(byDirection, perDirection), 0, 2, 1, 3);
        return g.reshape(wide, 0, -1, (long) DIRECTIONS * groups * d);
    }

    /** Per group a product with [D, K*N], brought into the scan's column order. */
    private String gate(String byGroup, String weight, int groups) {
        if (groups == 1) return g.matmul(byGroup, g.reshape(weight, -1, (long) DIRECTIONS * STATES));
        String perGroup = g.reshape(g.matmul(byGroup, weight), 0, groups, -1, DIRECTIONS, STATES);
        return g.reshape(g.transpose(perGroup, 0, 2, 3, 1, 4), 0, -1, (long) DIRECTIONS * groups * STATES);
    }

    private String order(ScanKind kind, int side) {
        String name = "scan_order." + kind.name().toLowerCase(Locale.ROOT) + "." + side;
        if (written.add(name)) {
            int length = side * side;
            int[] flat = new int[DIRECTIONS * length];
            int[][] table = ScanOrders.table(kind, side);
            for (int k = 0; k < DIRECTIONS; k++) System.arraycopy(table[k], 0, flat, k * length, length);
            g.ints(name, flat, DIRECTIONS, length);
        }
        return name;
    }

    // ---- fuser ----

    /**
     * The fuser (section 5).
     *
     * @param t features [B,c4,64,64], [B,c8,32,32], [B,c16,16,16]
     * @return z [B,C,8,8]
     */
    String fuser(List<String> t, MmadConfig config) {
        String f = "mamba_fuser.";
        int width = config.fuserChannels().get(1);
        int side = 16;
        BiFunction<String, String, String> unit = (x, name) -> relu(batchNorm(x, f + name));

        g.scope("fuser/pyramid");
        String f0 = unit.apply(conv(t.get(0), f + "conv1", 2, 1), "bn1");
        String f1 = g.add(unit.apply(conv(t.get(1), f + "conv21", 1, 1), "bn21"), f0);
        String a = g.add(
                unit.apply(conv(f1, f + "conv2", 2, 1), "bn2"), unit.apply(conv(t.get(2), f + "conv31", 1, 1), "bn31"));
        a = unit.apply(conv(a, f + "convf", 1, 1), "bnf");

        List<String> branches = new ArrayList<>();
        for (int branch = 1; branch <= 5; branch += 2) {
            g.scope("fuser/dc_" + branch);
            String x = a;
            for (int dilation = 1; dilation <= branch; dilation += 2) {
                int at = dilation / 2 * 3;
                x = g.silu(batchNorm(
                        conv(x, f + "dc_" + branch + "." + at, 1, dilation), f + "dc_" + branch + "." + (at + 1)));
            }
            branches.add(x);
        }
        branches.add(a);
        g.scope("fuser/dc_out");
        String c = channelsLast(conv(g.concat(1, branches), f + "dc_out", 1, 1), width);

        g.scope("fuser/ssm");
        String ln = norm(c, f + "ln1", LN_EPS);
        c = g.add(c, vssBlocks(ln, List.of(f + "ssm_blocks"), width, side, ScanKind.HILBERT));

        g.scope("fuser/cab");
        String v = channelsFirst(norm(c, f + "ln2", LN_EPS), width, side);
        v = conv(g.op("Gelu", conv(v, f + "cab.0", 1, 1)).out(), f + "cab.2", 1, 1);
        String gate = g.op(
                        "Sigmoid",
                        g.add(
                                squeeze(g.op("GlobalAveragePool", v).out()),
                                squeeze(g.op("GlobalMaxPool", v).out())))
                .out();
        taps.put("gate", gate);
        c = g.add(channelsFirst(c, width, side), gate);

        String z = c;
        for (int i = 0; i < 3; i++) {
            g.scope("fuser/bn_layer." + i);
            String b = "bn_layer." + i + ".";
            String x = unit.apply(conv(z, f + b + "conv1", 1, 1), b + "bn1");
            x = unit.apply(conv(x, f + b + "conv2", i == 0 ? 2 : 1, 1), b + "bn2");
            x = batchNorm(conv(x, f + b + "conv3", 1, 1), f + b + "bn3");
            String shortcut = i == 0 ? batchNorm(conv(z, f + b + "downsample.0", 2, 1), f + b + "downsample.1") : z;
            z = relu(g.add(x, shortcut));
        }
        taps.put("z", z);
        return z;
    }

    private String squeeze(String pooled) {
        return conv(relu(conv(pooled, "mamba_fuser.cab.3.fc1", 1, 1)), "mamba_fuser.cab.3.fc2", 1, 1);
    }

    // ---- decoder ----

    /**
     * The decoder (section 6).
     *
     * @param z [B,C,8,8]
     * @return what imitates the teacher at strides 4, 8, 16, each [B,L,c]; null where the configuration leaves a fine
     *     stride out
     */
    List<String> decoder(String z, MmadConfig config) {
        String[] student = new String[3];
        levels.clear();
        g.scope("decoder");
        String x = channelsLast(z, config.levelChannels().get(0));
        for (int level = 0; level < config.levels(); level++) {
            int c = config.levelChannels().get(level);
            int side = MmadConfig.levelSide(level);
            String prefix = "net_s.layers_up." + level;
            if (level > 0) {
                g.scope("decoder/" + level + "/upsample");
                String wide = g.matmul(x, g.transpose(param(prefix + ".upsample.expand.weight"), 1, 0));
                // Channel (2*p1+p2)*C+c of pixel (h,w) becomes channel c of pixel (2h+p1, 2w+p2).
                wide = g.transpose(g.reshape(wide, -1, side / 2, side / 2, 2, 2L * c), 0, 1, 3, 2, 4);
                x = norm(g.reshape(wide, -1, (long) side * side, c), prefix + ".upsample.norm", LN_EPS);
            }
            for (int i = 0; i < config.blocks().get(level); i++) {
                g.scope("decoder/" + level + "/" + i);
                x = hybridBlock(
                        x, prefix + ".blocks." + i, c, side, config.chains().get(level));
            }
            levels.add(x);
            if (level > 0) {
                int scale = MmadConfig.scaleOfLevel(level);
                g.scope("decoder/" + level + "/proj");
                student[scale] = config.needsProjection(scale) ? linear(x, "net_s.proj." + scale) : x;
                taps.put("feats_s" + scale, student[scale]);
            }
        }
        return Arrays.asList(student);
    }

    /**
     * One HybridBlock.
     *
     * @param x [B,L,C]
     */
    String hybridBlock(String x, String prefix, int c, int side, List<ScanKind> chain) {
        String outer = g.scope();
        String mixed = norm(g.add(x, mixer(x, prefix + ".mixer.", c, side, chain)), prefix + ".norm1", CLN_EPS);
        g.scope(outer + "/ffn");
        String wide = linear(mixed, prefix + ".ffn.project_in");
        String deep =
                conv(channelsFirst(wide, 2 * c, side), param(prefix + ".ffn.dwconv.weight"), null, 3, 1, 1, 2 * c);
        List<String> halves = g.split(channelsLast(deep, 2 * c), 2, c, c);
        String ffn = linear(g.mul(g.op("Gelu", halves.get(0)).out(), halves.get(1)), prefix + ".ffn.project_out");
        String out = norm(g.add(mixed, ffn), prefix + ".norm2", CLN_EPS);
        g.scope(outer);
        return out;
    }

    private String mixer(String x, String prefix, int c, int side, List<ScanKind> chain) {
        String outer = g.scope();
        g.scope(outer + "/route");
        int a = ParameterSpecs.routeWidth(c);
        String route = routeFeatures(x, prefix + "route.", c, a, side);
        String channelGate = g.op("Sigmoid", linear(g.reduce("ReduceMean", route, true, 1), prefix + "route.out_CA.1"))
                .out();
        String spatial = conv(channelsFirst(route, a, side), prefix + "route.out_SA.0", 1, 1);
        String spatialGate = g.op("Sigmoid", g.reshape(spatial, 0, -1, 1)).out();
        String keep = keep(route, prefix + "route.out_mask.");
        taps.put("keep" + keepMasks++, keep);

        g.scope(outer + "/project_v");
        String v = linear(x, prefix + "project_v");
        String o = g.mul(v, g.op("Where", keep, g.scalar(1), spatialGate).out());
        for (int i = 0; i < chain.size(); i++) {
            List<String> prefixes = new ArrayList<>();
            for (int group = 1; group <= MmadConfig.GROUPS; group++)
                prefixes.add(prefix + "ssm_blocks_" + group + "." + i);
            g.scope(outer + "/ssm." + i);
            o = vssBlocks(o, prefixes, c / MmadConfig.GROUPS, side, chain.get(i));
        }
        g.scope(outer + "/ssm_pro");
        o = linear(o, prefix + "ssm_pro");

        g.scope(outer + "/conv_sptial");
        String s = channelsFirst(o, c, side);
        for (int i = 0; i < 3; i++) {
            String deep = conv(s, param(prefix + "conv_sptial." + 3 * i + ".weight"), null, 3 + 2 * i, 1, 1, c);
            s = g.silu(g.op("InstanceNormalization", deep, ones(c), zeros(c))
                    .attr("epsilon", 1e-5f)
                    .out());
        }
        g.scope(outer + "/project_out");
        s = g.op("Gelu", channelsLast(s, c)).out();
        String out = linear(g.add(g.mul(s, channelGate), o), prefix + "project_out");
        g.scope(outer);
        return out;
    }

    /**
     * LeakyReLU(CLN(conv([x, Y, X]))): the coordinate channels meet constant weights, so they become a bias per pixel.
     */
    private String routeFeatures(String x, String prefix, int c, int a, int side) {
        String w = g.transpose(g.reshape(param(prefix + "in_conv.0.weight"), a, c + 2L), 1, 0);
        List<String> parts = g.split(w, 0, c, 2);
        String map = g.add(g.matmul(coordinates(side), parts.get(1)), param(prefix + "in_conv.0.bias"));
        String e = g.add(g.matmul(x, parts.get(0)), map);
        return g.op("LeakyRelu", norm(e, prefix + "in_conv.1", CLN_EPS))
                .attr("alpha", SLOPE)
                .out();
    }

    /** [1,L,2]: row, then column, from -1 to 1. */
    private String coordinates(int side) {
        float[] v = new float[side * side * 2];
        for (int q = 0; q < side * side; q++) {
            v[2 * q] = (float) (-1 + 2.0 * (q / side) / (side - 1));
            v[2 * q + 1] = (float) (-1 + 2.0 * (q % side) / (side - 1));
        }
        return constant("coordinates." + side, v, 1, side * side, 2);
    }

    /**
     * The keep decision, rule "expected" per image (section 7): with d = z0 - z1 and p0 = sigmoid(d), the floor(sum
     * sigmoid(2*p0-1)) pixels of highest d are kept, ties by lower pixel.
     *
     * @param route [B,L,A]
     * @return bool [B,L,1]
     */
    private String keep(String route, String prefix) {
        g.scope(g.scope() + "/keep");
        String m = g.reduce("ReduceMean", route, true, 2);
        String hidden = g.add(g.mul(m, g.reshape(param(prefix + "0.weight"), 1)), param(prefix + "0.bias"));
        hidden = g.op("LeakyRelu", hidden).attr("alpha", SLOPE).out();
        List<String> w = g.split(g.reshape(param(prefix + "2.weight"), 2), 0, 1, 1);
        List<String> b = g.split(param(prefix + "2.bias"), 0, 1, 1);
        String d = g.add(g.mul(hidden, g.sub(w.get(0), w.get(1))), g.sub(b.get(0), b.get(1)));
        d = g.reshape(d, 0, -1);
        taps.put("logit_diff" + keepMasks, d);

        // The count is a floor of a sum over up to 4096 pixels: double keeps rounding from moving it.
        String wide = g.op("Cast", d).attr("to", OnnxGraph.Type.DOUBLE.code()).out();
        String p0 = g.op("Sigmoid", wide).out();
        String two = g.op("Cast", g.scalar(2))
                .attr("to", OnnxGraph.Type.DOUBLE.code())
                .out();
        String one = g.op("Cast", g.scalar(1))
                .attr("to", OnnxGraph.Type.DOUBLE.code())
                .out();
        String expected = g.reduce(
                "ReduceSum", g.op("Sigmoid", g.sub(g.mul(p0, two), one)).out(), true, 1);
        String length = g.op("Shape", d).attr("start", 1).attr("end", 2).out();
        // Clip only matters for NaN, which must not become an index.
        String count = g.op(
                        "Max",
                        g.op(
                                        "Min",
                                        g.op("Cast", expected)
                                                .attr("to", OnnxGraph.Type.INT64.code())
                                                .out(),
                                        length)
                                .out(),
                        g.longs(1))
                .out();

        // The count-th highest value decides; among pixels equal to it the first ones fill up. This does not rely on
        // how TopK orders ties.
        String sorted = g.op("TopK", d, length)
                .attr("axis", 1)
                .attr("largest", 1)
                .attr("sorted", 1)
                .outs(2)
                .get(0);
        String cut = g.op("GatherElements", sorted, g.sub(count, g.longs(1)))
                .attr("axis", 1)
                .out();
        String above = g.op("Greater", d, cut).out();
        String equal = g.op("Equal", d, cut).out();
        String aboveCount = g.reduce(
                "ReduceSum",
                g.op("Cast", above).attr("to", OnnxGraph.Type.FLOAT.code()).out(),
                true,
                1);
        String room = g.sub(
                g.op("Cast", count).attr("to", OnnxGraph.Type.FLOAT.code()).out(), aboveCount);
        String place = g.op(
                        "CumSum",
                        g.op("Cast", equal)
                                .attr("to", OnnxGraph.Type.FLOAT.code())
                                .out(),
                        g.longScalar(1))
                .out();
        String filled =
                g.op("And", equal, g.op("LessOrEqual", place, room).out()).out();
        return g.reshape(g.op("Or", above, filled).out(), 0, -1, 1);
    }

    // ---- teacher features and anomaly map ----

    /** Features as fuser and decoder see them. */
    List<String> teacher(List<String> features, MmadConfig config) {
        List<String> out = new ArrayList<>();
        g.scope("teacher");
        for (int i = 0; i < 3; i++) {
            String t = features.get(i);
            if (config.featureNorm() == FeatureNorm.CHANNEL) {
                int c = config.encoderChannels().get(i);
                String p = "teacher_norm." + i + ".";
                t = g.mul(
                        g.sub(t, g.reshape(param(p + "shift"), 1, c, 1, 1)), g.reshape(param(p + "scale"), 1, c, 1, 1));
            }
            taps.put("feats_t" + i, t);
            out.add(t);
        }
        return out;
    }

    /**
     * Anomaly map (section 11): cosine distances, upsampled with aligned corners, averaged, smoothed. Upsampling and
     * Gaussian are linear and separable, so each scale is one product from either side: M d M' with M = Gaussian *
     * upsampling.
     *
     * @param teacher three maps [B,c,S,S] at S = 64, 32, 16
     * @param student three maps [B,L,c], from the latest {@link #decoder}
     * @return [B,256,256]
     */
    String anomalyMap(List<String> teacher, List<String> student, MmadConfig config, String outputName) {
        List<Integer> channels = config.encoderChannels();
        String sum = null;
        String group =
                config.map() == MapKind.WHITENED && config.groups() > 1 ? group(teacher.get(2), channels.get(2)) : null;
        for (int i = config.finest(); i < 3; i++) {
            int side = 64 >> i;
            g.scope("anomaly/" + i);
            String d = g.reshape(
                    cosineDistance(channelsLast(teacher.get(i), channels.get(i)), student.get(i)), 0, side, side);
            taps.put("cosdist" + i, d);
            float times = 9f / (3 - config.finest());
            if (config.map() == MapKind.WHITENED)
                d = whitened(d, teacher.get(i), student.get(i), group, i, channels.get(i), side, times);
            if (config.map() == MapKind.STANDARDISED) d = standardised(d, i, side, times);
            String left = constant("anomaly.matrix." + side, AnomalyMapMatrix.of(side), MmadConfig.INPUT_SIZE, side);
            String map = g.matmul(g.matmul(left, d), g.transpose(left, 1, 0));
            if (i < 2) sum = sum == null ? map : g.add(sum, map);
            else if (sum == null) g.op("Identity", map).out(outputName);
            else g.op("Add", sum, map).out(outputName);
        }
        return outputName;
    }

    /**
     * Excess of log distance over its expectation ({@link MapKind#STANDARDISED}).
     *
     * @param times 9 by the number of scales: the matrices divide by 9, so that the map is the mean over the scales
     */
    private String standardised(String distance, int scale, int side, float times) {
        String prefix = "anomaly_map." + scale + ".";
        String pixel = levels.get(3 - scale);
        String hidden = g.matmul(pixel, g.transpose(param(prefix + "hidden.pixel"), 1, 0));
        String expected = g.matmul(pixel, g.transpose(param(prefix + "expect.pixel"), 1, 0));
        if (scale < 2) {
            String context = levels.get(1);
            hidden = g.add(
                    hidden,
                    repeated(
                            g.matmul(context, g.transpose(param(prefix + "hidden.context"), 1, 0)),
                            side,
                            MmadConfig.EXPECTATION_UNITS));
            expected = g.add(
                    expected,
                    repeated(g.matmul(context, g.transpose(param(prefix + "expect.context"), 1, 0)), side, 2));
        }
        hidden = relu(g.add(hidden, param(prefix + "hidden.bias")));
        expected = g.add(
                g.add(expected, g.matmul(hidden, g.transpose(param(prefix + "expect.hidden"), 1, 0))),
                param(prefix + "expect.bias"));
        String limits = param(prefix + "limits");
        String level = g.reshape(part(expected, 2, 0), 0, side, side);
        String spread = g.reshape(part(expected, 2, 1), 0, side, side);
        level = g.op("Min", g.op("Max", level, part(limits, 0, 0)).out(), part(limits, 0, 1))
                .out();
        spread = g.op("Min", g.op("Max", spread, part(limits, 0, 2)).out(), part(limits, 0, 3))
                .out();
        String log = g.op("Log", g.add(distance, g.scalar(MmadConfig.LEAST_DISTANCE)))
                .out();
        String excess = g.op("Div", g.sub(log, level), spread).out();
        return g.mul(positive(excess), g.scalar(times));
    }

    /** Sum of two log distances' excesses ({@link MapKind#WHITENED}); times as in {@link #standardised}. */
    private String whitened(
            String distance, String teacher, String student, String group, int scale, int c, int side, float times) {
        String prefix = "anomaly_map." + scale + ".";
        String residual = g.sub(teacher, channelsFirst(student, c, side));
        String centred = g.sub(
                channelsLast(g.neighbourMean(residual), c),
                g.reshape(ofGroup(prefix + "whiten.mean", group), -1, 1, c));
        String white = g.matmul(centred, ofGroup(prefix + "whiten.matrix", group));
        String mean = g.mul(g.reduce("ReduceSumSquare", white, true, 2), g.scalar(1f / c));
        String levels = ofGroup(prefix + "levels", group);
        String sum = g.add(excess(distance, levels, 0, side), excess(g.reshape(mean, 0, side, side), levels, 2, side));
        return g.mul(positive(sum), g.scalar(times));
    }

    /** (ln(distance + 1e-6) - levels[at]) / levels[at + 1], by picture and pixel. */
    private String excess(String distance, String levels, int at, int side) {
        String log = g.op("Log", g.add(distance, g.scalar(MmadConfig.LEAST_DISTANCE)))
                .out();
        return g.op(
                        "Div",
                        g.sub(log, g.reshape(part(levels, 1, at), -1, side, side)),
                        g.reshape(part(levels, 1, at + 1), -1, side, side))
                .out();
    }

    /** [B]: which group every picture's mean feature is nearest to. */
    private String group(String teacher, int c) {
        g.scope("anomaly/group");
        String mean = g.reshape(g.reduce("ReduceMean", teacher, true, 2, 3), 0, 1, c);
        String away = g.mul(
                g.sub(mean, g.reshape(param("anomaly_map.groups.centre"), 1, -1, c)),
                param("anomaly_map.groups.scale"));
        return g.op("ArgMin", g.reduce("ReduceSumSquare", away, false, 2))
                .attr("axis", 1)
                .attr("keepdims", 0)
                .out();
    }

    /** A tensor [K,...] by picture: [B,...], or [1,...] where there is one group only. */
    private String ofGroup(String name, String groupOrNull) {
        return groupOrNull == null
                ? param(name)
                : g.op("Gather", param(name), groupOrNull).attr("axis", 0).out();
    }

    /** Score of a map [B,256,256]: its maximum, or the mean over its highest pixels ({@link MmadConfig#topShare}). */
    void score(String map, MmadConfig config, String outputName) {
        g.scope("score");
        if (config.topShare() == 0) {
            g.op("ReduceMax", map, g.longs(1, 2)).attr("keepdims", 0).out(outputName);
            return;
        }
        int side = MmadConfig.INPUT_SIZE / 4;
        String coarse = g.op(
                        "Slice",
                        map,
                        g.longs(0, 0),
                        g.longs(MmadConfig.INPUT_SIZE, MmadConfig.INPUT_SIZE),
                        g.longs(1, 2),
                        g.longs(4, 4))
                .out();
        long count = Math.max(1, Math.round(config.topShare() * side * side));
        String highest = g.op("TopK", g.reshape(coarse, 0, (long) side * side), g.longs(count))
                .attr("axis", 1)
                .attr("largest", 1)
                .attr("sorted", 1)
                .outs(2)
                .get(0);
        // A broken network must show: TopK may leave NaN out, the maximum does not.
        String nan =
                g.mul(g.op("ReduceMax", map, g.longs(1, 2)).attr("keepdims", 0).out(), g.scalar(0));
        g.op("Add", g.reduce("ReduceMean", highest, false, 1), nan).out(outputName);
    }

    /** What is above 0, else 0. Not Relu, which may turn NaN into 0 and so hide a broken network. */
    private String positive(String x) {
        return g.mul(
                x,
                g.op("Cast", g.op("Greater", x, g.scalar(0)).out())
                        .attr("to", OnnxGraph.Type.FLOAT.code())
                        .out());
    }

    private String part(String x, int axis, int index) {
        return g.op("Slice", x, g.longs(index), g.longs(index + 1), g.longs(axis))
                .out();
    }

    /** A 16x16 map [B,256,c] with every pixel repeated to fill side x side. */
    private String repeated(String x, int side, int c) {
        int times = side / 16;
        String spread = g.op("Expand", g.reshape(x, 0, 16, 1, 16, c), g.longs(1, 1, times, 1, 1))
                .out();
        // Rows first, then columns: Expand wants its axes to be there already.
        spread = g.reshape(spread, 0, side, 16, 1, c);
        return g.reshape(g.op("Expand", spread, g.longs(1, 1, 1, times, 1)).out(), 0, (long) side * side, c);
    }

    /**
     * 1 - cos of two vectors as half the squared distance of the unit vectors, which keeps small distances exact in
     * float. A vector shorter than 1e-8 does not reach unit length; what it lacks is added, so that a zero vector gives
     * 1.
     */
    private String cosineDistance(String t, String s) {
        String one = g.scalar(1);
        List<String> unit = new ArrayList<>();
        List<String> missing = new ArrayList<>();
        for (String v : List.of(t, s)) {
            String length =
                    g.op("Sqrt", g.reduce("ReduceSumSquare", v, true, 2)).out();
            String floored = g.op("Max", length, g.scalar(1e-8f)).out();
            unit.add(g.op("Div", v, floored).out());
            String reached = g.op("Div", length, floored).out();
            missing.add(g.sub(one, g.mul(reached, reached)));
        }
        String distance = g.reduce("ReduceSumSquare", g.sub(unit.get(0), unit.get(1)), true, 2);
        return g.mul(g.add(g.add(distance, missing.get(0)), missing.get(1)), g.scalar(0.5f));
    }
}

package io.linesight.mmad.graph;

import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.architecture.ParameterSpecs;
import io.linesight.mmad.architecture.ScanKind;
import io.linesight.mmad.architecture.ScanOrders;
import io.linesight.mmad.onnx.OnnxGraph;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Writes blocks of selective scans: VSSBlocks and the SS2D inside them, several groups of channels in one go. */
final class ScanBlockWriter {
    private static final int DIRECTIONS = MmadConfig.DIRECTIONS;
    private static final int STATES = MmadConfig.STATES;
    /** Groups of at most so many channels are normalised by products instead of row by row. */
    private static final int NARROW = 64;
    /** Maps of at most this side are small. */
    private static final int SMALL = 16;

    private final OnnxGraph g;
    private final LayerWriter layers;

    ScanBlockWriter(LayerWriter layers) {
        this.g = layers.graph();
        this.layers = layers;
    }

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
        return g.add(x, ss2d(normal, new ScanBlocks(attention, prefixes, channels, side, kind)));
    }

    /**
     * Layer norm within each group of channels.
     *
     * @param x [B, L, groups*width]
     * @param weight [groups*width], null together with the bias for none
     */
    private String groupNorm(String x, int groups, int width, @Nullable String weight, @Nullable String bias) {
        if (groups == 1) return g.layerNorm(x, weight == null ? layers.ones(width) : weight, bias, LayerWriter.LN_EPS);
        int all = groups * width;
        if (width > NARROW) {
            String y = g.reshape(
                    g.layerNorm(g.reshape(x, 0, -1, groups, width), layers.ones(width), null, LayerWriter.LN_EPS),
                    0,
                    -1,
                    all);
            return weight == null ? y : g.add(g.mul(y, weight), bias);
        }
        // The runtime's LayerNormalization costs much per row, which narrow rows do not repay: sums within groups are
        // products with a constant.
        float[] mean = new float[all * groups];
        float[] spread = new float[groups * all];
        for (int c = 0; c < all; c++) {
            mean[c * groups + c / width] = 1f / width;
            spread[c / width * all + c] = 1;
        }
        String toMean = layers.constant("const.group_mean." + groups + "x" + width, mean, all, groups);
        String toAll = layers.constant("const.group_spread." + groups + "x" + width, spread, groups, all);
        String centred = g.sub(x, g.matmul(g.matmul(x, toMean), toAll));
        String variance = g.matmul(g.mul(centred, centred), toMean);
        String scale = g.op(
                        "Reciprocal",
                        g.op("Sqrt", g.add(variance, g.scalar(LayerWriter.LN_EPS)))
                                .out())
                .out();
        if (weight == null) return g.mul(centred, g.matmul(scale, toAll));
        return g.add(g.mul(centred, g.matmul(scale, g.mul(toAll, weight))), bias);
    }

    /**
     * Equal SS2D blocks side by side, one per group of channels.
     *
     * @param prefixes of the blocks' tensors
     * @param norms blocks whose {@code ln_1} scale and shift are folded into the input projection; null for none
     * @param channels of one group
     * @param side of the map
     */
    record ScanBlocks(List<String> prefixes, @Nullable List<String> norms, int channels, int side, ScanKind kind) {
        int groups() {
            return prefixes.size();
        }

        /** Channels that one block scans. */
        int width() {
            return 2 * channels;
        }

        /** Channels that all blocks scan. */
        int all() {
            return groups() * width();
        }

        int rank() {
            return ParameterSpecs.dtRank(channels);
        }
    }

    /** What a block scans, and what gates the result. */
    private record Projected(String scanned, String gate) {}

    /**
     * SS2D of every group.
     *
     * @param x [B, L, G*C], normalised without scale and shift when the blocks have norms
     */
    String ss2d(String x, ScanBlocks blocks) {
        String outer = g.scope();
        g.scope(outer + "/in_proj");
        Projected in = projectIn(x, blocks);
        g.scope(outer + "/conv2d");
        String u = convolve(in.scanned(), blocks);
        g.scope(outer + "/x_proj");
        ScanInputs inputs = scanInputs(u, blocks);
        g.scope(outer + "/scan");
        String y = scan(u, inputs, blocks);
        layers.tap(outer + ".y_before_norm", y);
        g.scope(outer + "/out_proj");
        String projected = projectOut(y, in.gate(), blocks);
        g.scope(outer);
        return projected;
    }

    private Projected projectIn(String x, ScanBlocks blocks) {
        int groups = blocks.groups();
        int c = blocks.channels();
        int d = blocks.width();
        List<String> inU = new ArrayList<>();
        List<String> inZ = new ArrayList<>();
        List<String> biasU = new ArrayList<>();
        List<String> biasZ = new ArrayList<>();
        for (int i = 0; i < groups; i++) {
            String w = layers.param(blocks.prefixes().get(i) + ".in_proj.weight");
            String norm = blocks.norms() == null ? null : blocks.norms().get(i) + ".ln_1";
            String scaled = norm == null ? w : g.mul(w, layers.param(norm + ".weight"));
            List<String> halves = g.split(g.transpose(scaled, 1, 0), 1, d, d);
            inU.add(halves.get(0));
            inZ.add(halves.get(1));
            if (norm != null) {
                List<String> b = g.split(g.matmul(layers.param(norm + ".bias"), g.transpose(w, 1, 0)), 0, d, d);
                biasU.add(b.get(0));
                biasZ.add(b.get(1));
            }
        }
        String u = g.matmul(x, layers.blockDiagonal(g.concat(0, inU), groups, c, d));
        String z = g.matmul(x, layers.blockDiagonal(g.concat(0, inZ), groups, c, d));
        if (blocks.norms() == null) return new Projected(u, z);
        u = g.add(u, g.concat(0, biasU));
        z = g.add(z, g.concat(0, biasZ));
        return new Projected(u, z);
    }

    private String convolve(String u, ScanBlocks blocks) {
        int all = blocks.all();
        String in = layers.channelsFirst(u, all, blocks.side());
        String out = layers.conv(
                in,
                layers.stack(blocks.prefixes(), ".conv2d.weight", 0, w -> w),
                layers.stack(blocks.prefixes(), ".conv2d.bias", 0, b -> b),
                3,
                1,
                1,
                all);
        return g.silu(layers.channelsLast(out, all));
    }

    /** What the scan takes besides the values: time steps, and the gates into and out of its states. */
    private record ScanInputs(String steps, String gateIn, String gateOut) {}

    private ScanInputs scanInputs(String u, ScanBlocks blocks) {
        int groups = blocks.groups();
        int d = blocks.width();
        int r = blocks.rank();
        List<String> toR = new ArrayList<>();
        List<String> toB = new ArrayList<>();
        List<String> toC = new ArrayList<>();
        for (String p : blocks.prefixes()) {
            List<String> parts = g.split(layers.param(p + ".x_proj_weight"), 1, r, STATES, STATES);
            // [K,R,D] to [D,K,1,R], spread over the groups below; [K,N,D] to [1,D,K*N].
            toR.add(g.reshape(g.transpose(parts.get(0), 2, 0, 1), 1, d, DIRECTIONS, 1, r));
            toB.add(g.reshape(g.transpose(parts.get(1), 2, 0, 1), 1, d, (long) DIRECTIONS * STATES));
            toC.add(g.reshape(g.transpose(parts.get(2), 2, 0, 1), 1, d, (long) DIRECTIONS * STATES));
        }
        String ranks = groups == 1 ? toR.get(0) : g.mul(g.concat(0, toR), layers.eye(groups, groups, 1, 1, groups, 1));
        String low = g.matmul(u, g.reshape(ranks, blocks.all(), (long) DIRECTIONS * groups * r));
        String dt = steps(low, blocks.prefixes(), d, r, blocks.side());
        String byGroup = groups == 1 ? u : g.transpose(g.reshape(u, 0, -1, groups, d), 0, 2, 1, 3);
        String gateB = gate(byGroup, g.concat(0, toB), groups);
        String gateC = gate(byGroup, g.concat(0, toC), groups);
        return new ScanInputs(dt, gateB, gateC);
    }

    private String scan(String u, ScanInputs in, ScanBlocks blocks) {
        List<String> prefixes = blocks.prefixes();
        int d = blocks.width();
        int all = blocks.all();
        String logs = layers.stack(prefixes, ".A_logs", 1, w -> g.reshape(w, DIRECTIONS, d, STATES));
        String decay =
                g.op("Exp", g.reshape(logs, (long) DIRECTIONS * all, STATES)).out();
        String a = g.op("Neg", decay).out();
        String direct = layers.stack(prefixes, ".Ds", 1, w -> g.reshape(w, DIRECTIONS, d));
        String skip = g.reduce("ReduceSum", direct, false, 0);
        String bias = g.reshape(layers.stack(prefixes, ".dt_projs_bias", 1, w -> w), (long) DIRECTIONS * all);
        String order = order(blocks.kind(), blocks.side());
        return SelectiveScanFunction.call(
                g, blocks.groups(), DIRECTIONS, all, u, in.steps(), in.gateIn(), in.gateOut(), a, skip, bias, order);
    }

    private String projectOut(String y, String z, ScanBlocks blocks) {
        List<String> prefixes = blocks.prefixes();
        int d = blocks.width();
        String normed = groupNorm(
                y,
                blocks.groups(),
                d,
                layers.stack(prefixes, ".out_norm.weight", 0, w -> w),
                layers.stack(prefixes, ".out_norm.bias", 0, b -> b));
        String out = layers.stack(prefixes, ".out_proj.weight", 0, w -> g.transpose(w, 1, 0));
        return g.matmul(g.mul(normed, g.silu(z)), layers.blockDiagonal(out, blocks.groups(), d, blocks.channels()));
    }

    /**
     * Expands the low-rank steps [B, L, K*G*R] to [B, L, K*G*D]. On small maps each direction is multiplied by itself
     * and the results are interleaved; on large ones, where copying the result costs more than multiplying by zeros,
     * all are one product.
     */
    private String steps(String low, List<String> prefixes, int d, int r, int side) {
        int groups = prefixes.size();
        // [K,D,R] of every group to [K,G,R,D].
        String expand = layers.stack(
                prefixes, ".dt_projs_weight", 1, w -> g.reshape(g.transpose(w, 0, 2, 1), DIRECTIONS, 1, r, d));
        if (side > SMALL)
            return g.matmul(
                    low,
                    layers.blockDiagonal(
                            g.reshape(expand, (long) DIRECTIONS * groups * r, d), DIRECTIONS * groups, r, d));
        String blocks = g.reshape(expand, DIRECTIONS, groups, r, 1, d);
        if (groups > 1) blocks = g.mul(blocks, layers.eye(groups, 1, groups, 1, groups, 1));
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
        if (layers.isNew(name)) {
            int length = side * side;
            int[] flat = new int[DIRECTIONS * length];
            int[][] table = ScanOrders.table(kind, side);
            for (int k = 0; k < DIRECTIONS; k++) System.arraycopy(table[k], 0, flat, k * length, length);
            g.ints(name, flat, DIRECTIONS, length);
        }
        return name;
    }
}

package io.linesight.mmad.graph;

import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.architecture.ParameterSpecs;
import io.linesight.mmad.architecture.ScanKind;
import io.linesight.mmad.onnx.OnnxGraph;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Writes the decoder: HybridBlocks that imitate the encoder's feature maps, coarsest first. */
final class DecoderWriter {
    private final OnnxGraph g;
    private final LayerWriter layers;
    private final ScanBlockWriter scans;
    private final KeepMaskWriter keepMasks;
    private final List<String> levels = new ArrayList<>();

    DecoderWriter(LayerWriter layers, ScanBlockWriter scans) {
        this.g = layers.graph();
        this.layers = layers;
        this.scans = scans;
        this.keepMasks = new KeepMaskWriter(layers);
    }

    /** What the levels give before any projection to the encoder's channels, coarsest first. */
    List<String> levels() {
        return levels;
    }

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
        String x = layers.channelsLast(z, config.levelChannels().get(0));
        for (int level = 0; level < config.levels(); level++) {
            int c = config.levelChannels().get(level);
            int side = MmadConfig.levelSide(level);
            String prefix = "net_s.layers_up." + level;
            if (level > 0) x = upsample(x, level, c, side);
            for (int i = 0; i < config.blocks().get(level); i++) {
                g.scope("decoder/" + level + "/" + i);
                x = hybridBlock(
                        x, prefix + ".blocks." + i, c, side, config.chains().get(level));
            }
            levels.add(x);
            if (level > 0) {
                int scale = MmadConfig.scaleOfLevel(level);
                g.scope("decoder/" + level + "/proj");
                student[scale] = config.needsProjection(scale) ? layers.linear(x, "net_s.proj." + scale) : x;
                layers.tap("feats_s" + scale, student[scale]);
            }
        }
        return Arrays.asList(student);
    }

    /** Twice the side, half the channels. */
    private String upsample(String x, int level, int c, int side) {
        String prefix = "net_s.layers_up." + level + ".upsample.";
        g.scope("decoder/" + level + "/upsample");
        String wide = g.matmul(x, g.transpose(layers.param(prefix + "expand.weight"), 1, 0));
        // Channel (2*p1+p2)*C+c of pixel (h,w) becomes channel c of pixel (2h+p1, 2w+p2).
        wide = g.transpose(g.reshape(wide, -1, side / 2, side / 2, 2, 2L * c), 0, 1, 3, 2, 4);
        return layers.norm(g.reshape(wide, -1, (long) side * side, c), prefix + "norm", LayerWriter.LN_EPS);
    }

    /**
     * One HybridBlock.
     *
     * @param x [B,L,C]
     */
    String hybridBlock(String x, String prefix, int c, int side, List<ScanKind> chain) {
        String outer = g.scope();
        String mixed = layers.norm(
                g.add(x, mixer(x, prefix + ".mixer.", c, side, chain)), prefix + ".norm1", LayerWriter.CLN_EPS);
        g.scope(outer + "/ffn");
        String wide = layers.linear(mixed, prefix + ".ffn.project_in");
        String deep = layers.conv(
                layers.channelsFirst(wide, 2 * c, side),
                layers.param(prefix + ".ffn.dwconv.weight"),
                null,
                3,
                1,
                1,
                2 * c);
        List<String> halves = g.split(layers.channelsLast(deep, 2 * c), 2, c, c);
        String ffn =
                layers.linear(g.mul(g.op("Gelu", halves.get(0)).out(), halves.get(1)), prefix + ".ffn.project_out");
        String out = layers.norm(g.add(mixed, ffn), prefix + ".norm2", LayerWriter.CLN_EPS);
        g.scope(outer);
        return out;
    }

    private String mixer(String x, String prefix, int c, int side, List<ScanKind> chain) {
        String outer = g.scope();
        g.scope(outer + "/route");
        int a = ParameterSpecs.routeWidth(c);
        String route = routeFeatures(x, prefix + "route.", c, a, side);
        String channelGate = g.op(
                        "Sigmoid", layers.linear(g.reduce("ReduceMean", route, true, 1), prefix + "route.out_CA.1"))
                .out();
        String spatial = layers.conv(layers.channelsFirst(route, a, side), prefix + "route.out_SA.0", 1, 1);
        String spatialGate = g.op("Sigmoid", g.reshape(spatial, 0, -1, 1)).out();
        String keep = keepMasks.write(route, prefix + "route.out_mask.");

        g.scope(outer + "/project_v");
        String v = layers.linear(x, prefix + "project_v");
        String o = g.mul(v, g.op("Where", keep, g.scalar(1), spatialGate).out());
        for (int i = 0; i < chain.size(); i++) {
            List<String> prefixes = new ArrayList<>();
            for (int group = 1; group <= MmadConfig.GROUPS; group++)
                prefixes.add(prefix + "ssm_blocks_" + group + "." + i);
            g.scope(outer + "/ssm." + i);
            o = scans.vssBlocks(o, prefixes, c / MmadConfig.GROUPS, side, chain.get(i));
        }
        g.scope(outer + "/ssm_pro");
        o = layers.linear(o, prefix + "ssm_pro");

        g.scope(outer + "/conv_sptial");
        String s = spatialConvolutions(o, prefix, c, side);
        g.scope(outer + "/project_out");
        s = g.op("Gelu", layers.channelsLast(s, c)).out();
        String out = layers.linear(g.add(g.mul(s, channelGate), o), prefix + "project_out");
        g.scope(outer);
        return out;
    }

    /** Three depthwise convolutions of growing size, each normalised; [B,C,S,S]. */
    private String spatialConvolutions(String o, String prefix, int c, int side) {
        String s = layers.channelsFirst(o, c, side);
        for (int i = 0; i < 3; i++) {
            String weight = layers.param(prefix + "conv_sptial." + 3 * i + ".weight");
            String deep = layers.conv(s, weight, null, 3 + 2 * i, 1, 1, c);
            s = g.silu(g.op("InstanceNormalization", deep, layers.ones(c), layers.zeros(c))
                    .attr("epsilon", 1e-5f)
                    .out());
        }
        return s;
    }

    /**
     * LeakyReLU(CLN(conv([x, Y, X]))): the coordinate channels meet constant weights, so they become a bias per pixel.
     */
    private String routeFeatures(String x, String prefix, int c, int a, int side) {
        String w = g.transpose(g.reshape(layers.param(prefix + "in_conv.0.weight"), a, c + 2L), 1, 0);
        List<String> parts = g.split(w, 0, c, 2);
        String map = g.add(g.matmul(coordinates(side), parts.get(1)), layers.param(prefix + "in_conv.0.bias"));
        String e = g.add(g.matmul(x, parts.get(0)), map);
        return g.op("LeakyRelu", layers.norm(e, prefix + "in_conv.1", LayerWriter.CLN_EPS))
                .attr("alpha", KeepMaskWriter.SLOPE)
                .out();
    }

    /** [1,L,2]: row, then column, from -1 to 1. */
    private String coordinates(int side) {
        float[] v = new float[side * side * 2];
        for (int q = 0; q < side * side; q++) {
            v[2 * q] = (float) (-1 + 2.0 * (q / side) / (side - 1));
            v[2 * q + 1] = (float) (-1 + 2.0 * (q % side) / (side - 1));
        }
        return layers.constant("coordinates." + side, v, 1, side * side, 2);
    }
}

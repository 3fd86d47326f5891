package io.linesight.mmad.architecture;

import io.linesight.mmad.architecture.ParameterSpec.Init;
import java.util.ArrayList;
import java.util.List;

/**
 * The tensors of a network's fuser and decoder: names, shapes, initial distributions and weight decay (MMAD_SPEC
 * sections 3, 5, 6, 9, 10). The reference's dead tensors (section 7: project_q, project_k, out_offsets) never reach the
 * output and are left out.
 */
public final class ParameterSpecs {
    private static final Init ZERO = new Init.Constant(0);
    private static final Init ONE = new Init.Constant(1);

    private final List<ParameterSpec> specs = new ArrayList<>();

    private ParameterSpecs() {}

    /** Every live tensor, in the order of the forward pass. */
    public static List<ParameterSpec> of(MmadConfig config) {
        ParameterSpecs p = new ParameterSpecs();
        if (config.featureNorm() == FeatureNorm.CHANNEL) {
            for (int i = 0; i < 3; i++) {
                p.fixed(
                        "teacher_norm." + i + ".shift",
                        ZERO,
                        config.encoderChannels().get(i));
                p.fixed(
                        "teacher_norm." + i + ".scale",
                        ONE,
                        config.encoderChannels().get(i));
            }
        }
        p.fuser(config);
        for (int level = 0; level < config.levels(); level++) p.level(config, level);
        if (config.map() == MapKind.STANDARDISED) for (int i = config.finest(); i < 3; i++) p.expectation(config, i);
        if (config.map() == MapKind.WHITENED) {
            int k = Math.max(1, config.groups());
            for (int i = config.finest(); i < 3; i++) {
                int c = config.encoderChannels().get(i);
                p.fixed("anomaly_map." + i + ".whiten.mean", ZERO, k, c);
                p.fixed("anomaly_map." + i + ".whiten.matrix", ZERO, k, c, c);
                p.fixed("anomaly_map." + i + ".levels", ONE, k, 4, (64 >> i) * (64 >> i));
            }
            if (k > 1) {
                p.fixed(
                        "anomaly_map.groups.centre",
                        ZERO,
                        k,
                        config.encoderChannels().get(2));
                p.fixed(
                        "anomaly_map.groups.scale",
                        ONE,
                        config.encoderChannels().get(2));
            }
        }
        return List.copyOf(p.specs);
    }

    /** Rank of the dt projection for a VSSBlock of this width: ceil(C/16). */
    public static int dtRank(int channels) {
        return (channels + 15) / 16;
    }

    /** Hidden width of a mixer's route for this block width: (C+2) div 4. */
    public static int routeWidth(int channels) {
        return (channels + 2) / 4;
    }

    private void fuser(MmadConfig config) {
        String f = "mamba_fuser.";
        int c4 = config.encoderChannels().get(0);
        int c8 = config.encoderChannels().get(1);
        int c16 = config.encoderChannels().get(2);
        int f1 = config.fuserChannels().get(0);
        int f2 = config.fuserChannels().get(1);
        fuserConv(f + "conv1", c4, f1, 3, false);
        batchNorm(f + "bn1", f1);
        fuserConv(f + "conv21", c8, f1, 1, true);
        batchNorm(f + "bn21", f1);
        fuserConv(f + "conv2", f1, f2, 3, false);
        batchNorm(f + "bn2", f2);
        fuserConv(f + "conv31", c16, f2, 1, true);
        batchNorm(f + "bn31", f2);
        fuserConv(f + "convf", f2, f2, 1, true);
        batchNorm(f + "bnf", f2);
        for (int branch = 1; branch <= 5; branch += 2) {
            for (int unit = 0; unit < branch; unit += 2) {
                int at = unit / 2 * 3;
                fuserConv(f + "dc_" + branch + "." + at, f2, f2, 3, true);
                batchNorm(f + "dc_" + branch + "." + (at + 1), f2);
            }
        }
        fuserConv(f + "dc_out", 4 * f2, f2, 1, true);
        norm(f + "ln1", f2);
        vssBlock(f + "ssm_blocks", f2, true);
        norm(f + "ln2", f2);
        fuserConv(f + "cab.0", f2, f2 / 4, 3, true);
        fuserConv(f + "cab.2", f2 / 4, f2, 3, true);
        fuserConv(f + "cab.3.fc1", f2, f2 / 16, 1, false);
        fuserConv(f + "cab.3.fc2", f2 / 16, f2, 1, false);
        fuserBottlenecks(f + "bn_layer.", f2, config.levelChannels().get(0));
    }

    private void fuserBottlenecks(String prefix, int first, int out) {
        for (int i = 0; i < 3; i++) {
            String b = prefix + i;
            int in = i == 0 ? first : out;
            fuserConv(b + ".conv1", in, out / 4, 1, false);
            batchNorm(b + ".bn1", out / 4);
            fuserConv(b + ".conv2", out / 4, out / 4, 3, false);
            batchNorm(b + ".bn2", out / 4);
            fuserConv(b + ".conv3", out / 4, out, 1, false);
            batchNorm(b + ".bn3", out);
            if (i == 0) {
                fuserConv(b + ".downsample.0", in, out, 1, false);
                batchNorm(b + ".downsample.1", out);
            }
        }
    }

    private void level(MmadConfig config, int level) {
        String prefix = "net_s.layers_up." + level;
        int c = config.levelChannels().get(level);
        if (level > 0) {
            linear(prefix + ".upsample.expand.weight", 4 * c, 2 * c);
            norm(prefix + ".upsample.norm", c);
        }
        for (int i = 0; i < config.blocks().get(level); i++)
            block(prefix + ".blocks." + i, c, config.chains().get(level).size());
        if (level > 0) {
            int scale = MmadConfig.scaleOfLevel(level);
            if (config.needsProjection(scale))
                decoderConv("net_s.proj." + scale, c, config.encoderChannels().get(scale), 1, 1, true);
        }
    }

    private void block(String prefix, int c, int chain) {
        String mixer = prefix + ".mixer.";
        int a = routeWidth(c);
        decoderConv(mixer + "route.in_conv.0", c + 2, a, 1, 1, true);
        norm(mixer + "route.in_conv.1", a);
        decoderConv(mixer + "route.out_CA.1", a, c, 1, 1, true);
        decoderConv(mixer + "route.out_SA.0", a, 1, 3, 1, true);
        linear(mixer + "route.out_mask.0.weight", 1, 1);
        add(mixer + "route.out_mask.0.bias", ZERO, 1);
        linear(mixer + "route.out_mask.2.weight", 2, 1);
        add(mixer + "route.out_mask.2.bias", ZERO, 2);
        decoderConv(mixer + "project_v", c, c, 1, 1, true);
        for (int g = 1; g <= MmadConfig.GROUPS; g++) {
            for (int i = 0; i < chain; i++) vssBlock(mixer + "ssm_blocks_" + g + "." + i, c / MmadConfig.GROUPS, false);
        }
        decoderConv(mixer + "ssm_pro", c, c, 1, 1, true);
        decoderConv(mixer + "conv_sptial.0", c, c, 3, c, false);
        decoderConv(mixer + "conv_sptial.3", c, c, 5, c, false);
        decoderConv(mixer + "conv_sptial.6", c, c, 7, c, false);
        decoderConv(mixer + "project_out", c, c, 1, 1, true);
        norm(prefix + ".norm1", c);
        decoderConv(prefix + ".ffn.project_in", c, 2 * c, 1, 1, false);
        decoderConv(prefix + ".ffn.dwconv", 2 * c, 2 * c, 3, 2 * c, false);
        decoderConv(prefix + ".ffn.project_out", c, c, 1, 1, false);
        norm(prefix + ".norm2", c);
    }

    private void vssBlock(String prefix, int c, boolean inFuser) {
        int d = 2 * c;
        int r = dtRank(c);
        int k = MmadConfig.DIRECTIONS;
        int n = MmadConfig.STATES;
        String s = prefix + ".self_attention.";
        norm(prefix + ".ln_1", c);
        if (inFuser) add(s + "in_proj.weight", uniform(c), 2 * d, c);
        else linear(s + "in_proj.weight", 2 * d, c);
        if (inFuser) {
            // The reference does not divide by the groups here, unlike in the decoder.
            add(s + "conv2d.weight", new Init.Normal(Math.sqrt(2.0 / (9.0 * d))), d, 1, 3, 3);
            add(s + "conv2d.bias", uniform(9), d);
        } else {
            decoderConv(s + "conv2d", d, d, 3, d, true);
        }
        add(s + "x_proj_weight", uniform(d), k, r + 2 * n, d);
        add(s + "dt_projs_weight", uniform(r), k, d, r);
        add(s + "dt_projs_bias", new Init.TimeStep(), k, d);
        add(s + "A_logs", new Init.LogStates(), k * d, n);
        add(s + "Ds", ONE, k * d);
        norm(s + "out_norm", d);
        if (inFuser) add(s + "out_proj.weight", uniform(d), c, d);
        else linear(s + "out_proj.weight", c, d);
    }

    /** Fitted after training, hence fixed here; untouched they expect a distance of 1 everywhere. */
    private void expectation(MmadConfig config, int scale) {
        String prefix = "anomaly_map." + scale + ".";
        int units = MmadConfig.EXPECTATION_UNITS;
        int pixel = config.levelChannels().get(3 - scale);
        fixed(prefix + "hidden.pixel", ZERO, units, pixel);
        fixed(prefix + "expect.pixel", ZERO, 2, pixel);
        if (scale < 2) {
            int context = config.levelChannels().get(1);
            fixed(prefix + "hidden.context", ZERO, units, context);
            fixed(prefix + "expect.context", ZERO, 2, context);
        }
        fixed(prefix + "hidden.bias", ZERO, units);
        fixed(prefix + "expect.hidden", ZERO, 2, units);
        fixed(prefix + "expect.bias", ZERO, 2);
        fixed(prefix + "limits", ONE, 4);
    }

    private void fuserConv(String prefix, int in, int out, int kernel, boolean bias) {
        add(prefix + ".weight", new Init.Normal(Math.sqrt(2.0 / (kernel * kernel * out))), out, in, kernel, kernel);
        if (bias) add(prefix + ".bias", uniform(kernel * kernel * in), out);
    }

    private void decoderConv(String prefix, int in, int out, int kernel, int groups, boolean bias) {
        add(
                prefix + ".weight",
                new Init.Normal(Math.sqrt(2.0 / (kernel * kernel * out / (double) groups))),
                out,
                in / groups,
                kernel,
                kernel);
        if (bias) add(prefix + ".bias", ZERO, out);
    }

    private void linear(String name, int out, int in) {
        add(name, new Init.Normal(0.02), out, in);
    }

    private void norm(String prefix, int c) {
        add(prefix + ".weight", ONE, c);
        add(prefix + ".bias", ZERO, c);
    }

    private void batchNorm(String prefix, int c) {
        norm(prefix, c);
        fixed(prefix + ".running_mean", ZERO, c);
        fixed(prefix + ".running_var", ONE, c);
    }

    private static Init uniform(int fanIn) {
        return new Init.Uniform(1 / Math.sqrt(fanIn));
    }

    private void add(String name, Init init, int... shape) {
        specs.add(new ParameterSpec(name, shape, init, true, shape.length >= 2 && !name.endsWith(".bias")));
    }

    private void fixed(String name, Init init, int... shape) {
        specs.add(new ParameterSpec(name, shape, init, false, false));
    }
}

package io.linesight.mmad.graph;

import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.architecture.ScanKind;
import io.linesight.mmad.onnx.OnnxGraph;
import java.util.ArrayList;
import java.util.List;

/** Writes the fuser: three feature maps of the encoder become one. */
final class FuserWriter {
    private static final String F = "mamba_fuser.";
    /** Side of the map that is fused. */
    private static final int SIDE = 16;

    private final OnnxGraph g;
    private final LayerWriter layers;
    private final ScanBlockWriter scans;

    FuserWriter(LayerWriter layers, ScanBlockWriter scans) {
        this.g = layers.graph();
        this.layers = layers;
        this.scans = scans;
    }

    /**
     * The fuser (section 5).
     *
     * @param t features [B,c4,64,64], [B,c8,32,32], [B,c16,16,16]
     * @return z [B,C,8,8]
     */
    String fuser(List<String> t, MmadConfig config) {
        int width = config.fuserChannels().get(1);
        String a = pyramid(t);
        String c = dilated(a, width);
        g.scope("fuser/ssm");
        String ln = layers.norm(c, F + "ln1", LayerWriter.LN_EPS);
        c = g.add(c, scans.vssBlocks(ln, List.of(F + "ssm_blocks"), width, SIDE, ScanKind.HILBERT));
        String z = bottleneck(attend(c, width));
        layers.tap("z", z);
        return z;
    }

    /** The three scales brought to stride 16 and added. */
    private String pyramid(List<String> t) {
        g.scope("fuser/pyramid");
        String f0 = unit(layers.conv(t.get(0), F + "conv1", 2, 1), "bn1");
        String f1 = g.add(unit(layers.conv(t.get(1), F + "conv21", 1, 1), "bn21"), f0);
        String fine = unit(layers.conv(f1, F + "conv2", 2, 1), "bn2");
        String a = g.add(fine, unit(layers.conv(t.get(2), F + "conv31", 1, 1), "bn31"));
        return unit(layers.conv(a, F + "convf", 1, 1), "bnf");
    }

    /** Three branches of dilated convolutions beside their input, joined; channels last. */
    private String dilated(String a, int width) {
        List<String> branches = new ArrayList<>();
        for (int branch = 1; branch <= 5; branch += 2) {
            g.scope("fuser/dc_" + branch);
            String x = a;
            for (int dilation = 1; dilation <= branch; dilation += 2) {
                int at = dilation / 2 * 3;
                String convolved = layers.conv(x, F + "dc_" + branch + "." + at, 1, dilation);
                x = g.silu(layers.batchNorm(convolved, F + "dc_" + branch + "." + (at + 1)));
            }
            branches.add(x);
        }
        branches.add(a);
        g.scope("fuser/dc_out");
        return layers.channelsLast(layers.conv(g.concat(1, branches), F + "dc_out", 1, 1), width);
    }

    /** Adds the channel attention's gate; channels first. */
    private String attend(String c, int width) {
        g.scope("fuser/cab");
        String v = layers.channelsFirst(layers.norm(c, F + "ln2", LayerWriter.LN_EPS), width, SIDE);
        v = layers.conv(g.op("Gelu", layers.conv(v, F + "cab.0", 1, 1)).out(), F + "cab.2", 1, 1);
        String mean = squeeze(g.op("GlobalAveragePool", v).out());
        String max = squeeze(g.op("GlobalMaxPool", v).out());
        String gate = g.op("Sigmoid", g.add(mean, max)).out();
        layers.tap("gate", gate);
        return g.add(layers.channelsFirst(c, width, SIDE), gate);
    }

    private String squeeze(String pooled) {
        return layers.conv(layers.relu(layers.conv(pooled, F + "cab.3.fc1", 1, 1)), F + "cab.3.fc2", 1, 1);
    }

    /** Three residual blocks, of which the first halves the map. */
    private String bottleneck(String c) {
        String z = c;
        for (int i = 0; i < 3; i++) {
            g.scope("fuser/bn_layer." + i);
            String b = "bn_layer." + i + ".";
            String x = unit(layers.conv(z, F + b + "conv1", 1, 1), b + "bn1");
            x = unit(layers.conv(x, F + b + "conv2", i == 0 ? 2 : 1, 1), b + "bn2");
            x = layers.batchNorm(layers.conv(x, F + b + "conv3", 1, 1), F + b + "bn3");
            String shortcut =
                    i > 0 ? z : layers.batchNorm(layers.conv(z, F + b + "downsample.0", 2, 1), F + b + "downsample.1");
            z = layers.relu(g.add(x, shortcut));
        }
        return z;
    }

    private String unit(String x, String name) {
        return layers.relu(layers.batchNorm(x, F + name));
    }
}

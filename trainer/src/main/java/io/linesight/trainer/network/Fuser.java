package io.linesight.trainer.network;

import io.linesight.mmad.architecture.ScanKind;
import io.linesight.trainer.torch.Torch;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/** MambaFuser (MMAD_SPEC section 5): three feature maps to z. */
final class Fuser {
    private static final String F = "mamba_fuser.";
    private static final double DROPOUT = 0.1;
    private static final double DROP_PATH = 0.1;

    private final Parameters p;
    private final VssBlock vss;

    Fuser(Parameters p) {
        this.p = p;
        vss = new VssBlock(p, F + "ssm_blocks", ScanKind.HILBERT, 16, DROP_PATH, DROPOUT);
    }

    /** @param t features [B,C,64,64], [B,C,32,32], [B,C,16,16], best channels-last; result [B,C,8,8] */
    Tensor forward(List<Tensor> t, @Nullable TrainingNoise noise) {
        boolean training = noise != null;
        Tensor f0 = torch.relu(bn(conv(t.get(0), F + "conv1", 2, 1, 1), F + "bn1", training));
        Tensor f1 = torch.relu(bn(conv(t.get(1), F + "conv21", 1, 0, 1), F + "bn21", training))
                .add(f0);
        Tensor a = torch.relu(bn(conv(f1, F + "conv2", 2, 1, 1), F + "bn2", training))
                .add(torch.relu(bn(conv(t.get(2), F + "conv31", 1, 0, 1), F + "bn31", training)));
        a = torch.relu(bn(conv(a, F + "convf", 1, 0, 1), F + "bnf", training));
        Tensor c = conv(
                Torch.concat(1, branch(a, 1, training), branch(a, 3, training), branch(a, 5, training), a),
                F + "dc_out",
                1,
                0,
                1);

        Tensor rows = Torch.rows(c);
        Tensor mixed = rows.add(vss.forward(norm(rows, F + "ln1"), noise));
        Tensor v = Torch.image(norm(mixed, F + "ln2"), 16);
        v = conv(torch.gelu(conv(v, F + "cab.0", 1, 1, 1)), F + "cab.2", 1, 1, 1);
        Tensor gate = squeeze(v.mean(new long[] {2, 3}, false, new org.bytedeco.pytorch.ScalarTypeOptional()))
                .add(squeeze(torch.amax(v, new long[] {2, 3}, false)))
                .sigmoid();
        Tensor z = Torch.image(mixed.add(gate.unsqueeze(1)), 16);
        for (int i = 0; i < 3; i++) z = bottleneck(z, F + "bn_layer." + i, i == 0 ? 2 : 1, training);
        return z;
    }

    private Tensor branch(Tensor x, int name, boolean training) {
        for (int unit = 0, dilation = 1; dilation <= name; unit += 3, dilation += 2) {
            x = torch.silu(bn(
                    conv(x, F + "dc_" + name + "." + unit, 1, dilation, dilation),
                    F + "dc_" + name + "." + (unit + 1),
                    training));
        }
        return x;
    }

    private Tensor squeeze(Tensor pooled) {
        Tensor w1 = p.get(F + "cab.3.fc1.weight");
        Tensor w2 = p.get(F + "cab.3.fc2.weight");
        Tensor h = torch.relu(Torch.linear(pooled, w1.view(w1.size(0), w1.size(1)), null));
        return Torch.linear(h, w2.view(w2.size(0), w2.size(1)), null);
    }

    private Tensor bottleneck(Tensor x, String b, int stride, boolean training) {
        Tensor h = torch.relu(bn(conv(x, b + ".conv1", 1, 0, 1), b + ".bn1", training));
        h = torch.relu(bn(conv(h, b + ".conv2", stride, 1, 1), b + ".bn2", training));
        h = bn(conv(h, b + ".conv3", 1, 0, 1), b + ".bn3", training);
        Tensor shortcut = p.has(b + ".downsample.0.weight")
                ? bn(conv(x, b + ".downsample.0", stride, 0, 1), b + ".downsample.1", training)
                : x;
        return torch.relu(h.add(shortcut));
    }

    private Tensor conv(Tensor x, String name, int stride, int padding, int dilation) {
        return Torch.conv2d(
                x,
                p.get(name + ".weight"),
                p.has(name + ".bias") ? p.get(name + ".bias") : null,
                stride,
                padding,
                dilation,
                1);
    }

    private Tensor bn(Tensor x, String name, boolean training) {
        return Torch.batchNorm(
                x,
                p.get(name + ".weight"),
                p.get(name + ".bias"),
                p.get(name + ".running_mean"),
                p.get(name + ".running_var"),
                training);
    }

    private Tensor norm(Tensor rows, String name) {
        return Torch.layerNorm(rows, p.get(name + ".weight"), p.get(name + ".bias"), 1e-5);
    }
}

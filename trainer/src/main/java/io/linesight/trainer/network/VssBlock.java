package io.linesight.trainer.network;

import io.linesight.mmad.architecture.ScanKind;
import io.linesight.mmad.architecture.ScanOrders;
import io.linesight.trainer.torch.SelectiveScan;
import io.linesight.trainer.torch.Torch;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/** One VSSBlock (MMAD_SPEC section 3) for G channel groups at once: x + DropPath(Dropout(SS2D(LN(x)))) per group. */
final class VssBlock {
    private final Tensor normWeight;
    private final Tensor normBias;
    private final Tensor inProj;
    private final Tensor convWeight;
    private final Tensor convBias;
    private final Tensor outNormWeight;
    private final Tensor outNormBias;
    private final Tensor outProj;
    private final SelectiveScan.Parameters scan;
    private final int[][] order;
    private final int side;
    private final double dropPath;
    private final double dropout;

    VssBlock(Parameters p, String prefix, ScanKind kind, int side, double dropPath, double dropout) {
        String s = prefix + ".self_attention.";
        normWeight = p.get(prefix + ".ln_1.weight");
        normBias = p.get(prefix + ".ln_1.bias");
        inProj = p.get(s + "in_proj.weight");
        convWeight = p.get(s + "conv2d.weight");
        convBias = p.get(s + "conv2d.bias");
        outNormWeight = p.get(s + "out_norm.weight");
        outNormBias = p.get(s + "out_norm.bias");
        outProj = p.get(s + "out_proj.weight");
        scan = new SelectiveScan.Parameters(
                p.get(s + "x_proj_weight"),
                p.get(s + "dt_projs_weight"),
                p.get(s + "dt_projs_bias"),
                p.get(s + "A_logs"),
                p.get(s + "Ds"));
        order = ScanOrders.table(kind, side);
        this.side = side;
        this.dropPath = dropPath;
        this.dropout = dropout;
    }

    /** @param x [B,L,G*C]; noise null = eval */
    Tensor forward(Tensor x, @Nullable TrainingNoise noise) {
        long batch = x.size(0);
        long length = x.size(1);
        long groups = inProj.size(0);
        long c = inProj.size(2);
        Tensor y = ss2d(norm(x.view(batch, length, groups, c), normWeight, normBias));
        if (noise != null && dropout > 0) y = noise.dropout(y, dropout);
        if (noise != null) y = noise.dropPath(y, dropPath);
        return x.add(y);
    }

    private static Tensor norm(Tensor x, Tensor weight, Tensor bias) {
        if (weight.size(0) == 1) return Torch.layerNorm(x, weight.select(0, 0), bias.select(0, 0), 1e-5);
        return bias.addcmul(Torch.layerNorm(x, null, null, 1e-5), weight);
    }

    /** @param x [B,L,G,C]; result [B,L,G*C] */
    Tensor ss2d(Tensor x) {
        long batch = x.size(0);
        long length = x.size(1);
        long groups = x.size(2);
        long c = x.size(3);
        long d = 2 * c;
        Tensor rows = x.reshape(batch * length, groups, c).transpose(0, 1);
        Tensor uz = torch.bmm(rows, inProj.transpose(1, 2));
        Tensor u = uz.narrow(2, 0, d).transpose(0, 1).reshape(batch, length, groups * d);
        Tensor z = uz.narrow(2, d, d).transpose(0, 1);
        Tensor conv = Torch.conv2d(
                Torch.image(u, side),
                convWeight.view(groups * d, 1, 3, 3),
                convBias.view(groups * d),
                1,
                1,
                1,
                groups * d);
        u = torch.silu(Torch.rows(conv));
        Tensor y = new SelectiveScan(scan, order).apply(u);
        y = norm(y.view(batch * length, groups, d), outNormWeight, outNormBias).mul(torch.silu(z));
        return torch.bmm(y.transpose(0, 1), outProj.transpose(1, 2))
                .transpose(0, 1)
                .reshape(batch, length, groups * c);
    }
}

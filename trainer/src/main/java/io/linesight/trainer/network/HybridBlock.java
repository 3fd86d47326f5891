package io.linesight.trainer.network;

import io.linesight.mmad.architecture.ScanKind;
import io.linesight.trainer.torch.Torch;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/** One HybridBlock of the decoder (MMAD_SPEC section 6) on [B,L,C]. */
final class HybridBlock {
    private final Parameters p;
    private final String prefix;
    private final String mixer;
    private final int side;
    private final int channels;
    private final Tensor coordinates;
    private final List<VssBlock> chain = new ArrayList<>();

    HybridBlock(Parameters p, String prefix, int channels, List<ScanKind> kinds, int side, double dropPath) {
        this.p = p;
        this.prefix = prefix + ".";
        this.mixer = prefix + ".mixer.";
        this.side = side;
        this.channels = channels;
        for (int i = 0; i < kinds.size(); i++)
            chain.add(new VssBlock(p, mixer + "ssm_blocks_*." + i, kinds.get(i), side, dropPath, 0));
        float[] yx = new float[side * side * 2];
        for (int q = 0; q < side * side; q++) {
            yx[2 * q] = -1 + 2f * (q / side) / (side - 1);
            yx[2 * q + 1] = -1 + 2f * (q % side) / (side - 1);
        }
        coordinates = Torch.of(yx, (long) side * side, 2);
        coordinates.retainReference();
    }

    /** @param noise null = eval */
    Tensor forward(Tensor x, @Nullable TrainingNoise noise) {
        Tensor x1 = channelNorm(x.add(mix(x, noise)), prefix + "norm1");
        return channelNorm(x1.add(feedForward(x1)), prefix + "norm2");
    }

    private Tensor channelNorm(Tensor x, String name) {
        return Torch.layerNorm(x, p.get(name + ".weight"), p.get(name + ".bias"), 1e-6);
    }

    private Tensor pointwise(Tensor x, String name) {
        Tensor w = p.get(name + ".weight");
        return Torch.linear(x, w.view(w.size(0), w.size(1)), p.has(name + ".bias") ? p.get(name + ".bias") : null);
    }

    private Tensor feedForward(Tensor x) {
        Tensor h = pointwise(x, prefix + "ffn.project_in");
        h = Torch.rows(
                Torch.conv2d(Torch.image(h, side), p.get(prefix + "ffn.dwconv.weight"), null, 1, 1, 1, 2L * channels));
        return pointwise(
                torch.gelu(h.narrow(2, 0, channels)).mul(h.narrow(2, channels, channels)), prefix + "ffn.project_out");
    }

    private Tensor mix(Tensor x, @Nullable TrainingNoise noise) {
        Tensor c = route(x);
        Tensor ca = channelAttention(c);
        Tensor sa = spatialAttention(c);
        Tensor keep = keep(c, noise);
        Tensor v = pointwise(x, mixer + "project_v");
        // v' = v where kept, sa*v elsewhere.
        Tensor o = v.mul(sa.add(keep.mul(sa.neg().add(Torch.scalar(1)))));
        for (VssBlock block : chain) o = block.forward(o, noise);
        o = pointwise(o, mixer + "ssm_pro");
        return pointwise(torch.gelu(localContext(o)).mul(ca).add(o), mixer + "project_out");
    }

    /** What the attentions and the mask are made from: the features and each pixel's place. */
    private Tensor route(Tensor x) {
        Tensor in = p.get(mixer + "route.in_conv.0.weight");
        in = in.view(in.size(0), in.size(1));
        Tensor place = Torch.linear(coordinates, in.narrow(1, channels, 2), p.get(mixer + "route.in_conv.0.bias"));
        return torch.leaky_relu(
                channelNorm(Torch.linear(x, in.narrow(1, 0, channels), null).add(place), mixer + "route.in_conv.1"),
                Torch.scalar(0.1));
    }

    private Tensor channelAttention(Tensor c) {
        return pointwise(
                        c.mean(new long[] {1}, true, new org.bytedeco.pytorch.ScalarTypeOptional()),
                        mixer + "route.out_CA.1")
                .sigmoid();
    }

    private Tensor spatialAttention(Tensor c) {
        return Torch.rows(Torch.conv2d(
                        Torch.image(c, side),
                        p.get(mixer + "route.out_SA.0.weight"),
                        p.get(mixer + "route.out_SA.0.bias"),
                        1,
                        1,
                        1,
                        1))
                .sigmoid();
    }

    /** Three depthwise convolutions, 3x3 to 7x7, in a row. */
    private Tensor localContext(Tensor x) {
        Tensor s = x;
        for (int i = 0; i < 3; i++) {
            s = Torch.rows(Torch.conv2d(
                    Torch.image(s, side),
                    p.get(mixer + "conv_sptial." + 3 * i + ".weight"),
                    null,
                    1,
                    i + 1,
                    1,
                    channels));
            s = torch.silu(instanceNorm(s));
        }
        return s;
    }

    private static Tensor instanceNorm(Tensor x) {
        Tensor centred = x.sub(x.mean(new long[] {1}, true, new org.bytedeco.pytorch.ScalarTypeOptional()));
        Tensor variance = centred.square().mean(new long[] {1}, true, new org.bytedeco.pytorch.ScalarTypeOptional());
        return centred.mul(variance.add(Torch.scalar(1e-5)).rsqrt());
    }

    /** 1 where a pixel keeps its full value, [B,L,1] (MMAD_SPEC section 7). */
    private Tensor keep(Tensor c, @Nullable TrainingNoise noise) {
        Tensor m = c.mean(new long[] {2}, true, new org.bytedeco.pytorch.ScalarTypeOptional());
        Tensor hidden = torch.leaky_relu(
                m.mul(p.get(mixer + "route.out_mask.0.weight")).add(p.get(mixer + "route.out_mask.0.bias")),
                Torch.scalar(0.1));
        Tensor w = p.get(mixer + "route.out_mask.2.weight");
        Tensor b = p.get(mixer + "route.out_mask.2.bias");
        Tensor difference = hidden.mul(w.select(0, 0).sub(w.select(0, 1)))
                .add(b.select(0, 0).sub(b.select(0, 1)));
        if (noise == null) return expected(difference);
        Tensor p0 = difference.sigmoid();
        Tensor y = p0.mul(Torch.scalar(2))
                .sub(Torch.scalar(1))
                .add(noise.logistic(c.size(0), c.size(1)))
                .sigmoid();
        Tensor soft = y.detach();
        Tensor hard = soft.ge(Torch.scalar(0.5)).to(torch.ScalarType.Float);
        return y.add(hard.sub(soft));
    }

    /** Rule "expected", per image: as many pixels as training keeps on average, those with the highest probability. */
    static Tensor expected(Tensor difference) {
        int batch = (int) difference.size(0);
        int length = (int) difference.size(1);
        float[] d = Torch.values(difference);
        float[] keep = new float[d.length];
        for (int b = 0; b < batch; b++) {
            int from = b * length;
            double sum = 0;
            for (int q = 0; q < length; q++) {
                double p0 = 1 / (1 + Math.exp(-d[from + q]));
                sum += 1 / (1 + Math.exp(1 - 2 * p0));
            }
            int n = (int) Math.floor(sum);
            java.util.stream.IntStream.range(0, length)
                    .boxed()
                    .sorted((i, j) -> d[from + i] == d[from + j]
                            ? Integer.compare(i, j)
                            : Float.compare(d[from + j], d[from + i]))
                    .limit(n)
                    .forEach(q -> keep[from + q] = 1);
        }
        return Torch.of(keep, batch, length, 1);
    }

    void close() {
        coordinates.releaseReference();
    }
}

package io.linesight.trainer.encoders;

import io.linesight.mmad.architecture.Weights;
import io.linesight.trainer.torch.Torch;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * A ResNet computed by libtorch straight from a state dict, as torchvision's forward does: what the written graph is
 * compared with. It shares nothing with the writer of the graph, not even the architecture: kernels, groups and
 * shortcuts follow from the tensors themselves.
 */
final class ResNetReference {
    private static final float[] MEAN = {0.485f, 0.456f, 0.406f};
    private static final float[] STD = {0.229f, 0.224f, 0.225f};

    private final Weights weights;

    ResNetReference(Weights weights) {
        this.weights = weights;
    }

    /**
     * The outputs of layer1, layer2, layer3.
     *
     * @param image RGB in [0,1], {@code [1,3,side,side]}
     */
    List<float[]> features(float[] image, int side) {
        try (PointerScope scope = new PointerScope()) {
            List<float[]> maps = new ArrayList<>();
            Tensor x = Torch.of(image, 1, 3, side, side)
                    .sub(Torch.of(MEAN, 1, 3, 1, 1))
                    .div(Torch.of(STD, 1, 3, 1, 1));
            x = torch.relu(norm(conv(x, "conv1", 2), "bn1"));
            x = torch.max_pool2d(x, new long[] {3, 3}, new long[] {2, 2}, new long[] {1, 1}, new long[] {1, 1}, false);
            for (int layer = 1; layer <= 3; layer++) {
                for (int block = 0; weights.has("layer" + layer + "." + block + ".conv1.weight"); block++) {
                    x = block(x, "layer" + layer + "." + block + ".", layer > 1 && block == 0 ? 2 : 1);
                }
                maps.add(Torch.values(x));
            }
            return maps;
        } catch (RuntimeException e) {
            throw Torch.readable("the reference computation", e);
        }
    }

    private Tensor block(Tensor x, String p, int stride) {
        boolean bottleneck = weights.has(p + "conv3.weight");
        Tensor y = torch.relu(norm(conv(x, p + "conv1", bottleneck ? 1 : stride), p + "bn1"));
        y = norm(conv(y, p + "conv2", bottleneck ? stride : 1), p + "bn2");
        if (bottleneck) y = norm(conv(torch.relu(y), p + "conv3", 1), p + "bn3");
        Tensor shortcut = weights.has(p + "downsample.0.weight")
                ? norm(conv(x, p + "downsample.0", stride), p + "downsample.1")
                : x;
        return torch.relu(y.add(shortcut));
    }

    private Tensor conv(Tensor x, String name, int stride) {
        Tensor w = get(name + ".weight");
        return Torch.conv2d(x, w, null, stride, (int) w.size(2) / 2, 1, x.size(1) / w.size(1));
    }

    private Tensor norm(Tensor x, String name) {
        return Torch.batchNorm(
                x,
                get(name + ".weight"),
                get(name + ".bias"),
                get(name + ".running_mean"),
                get(name + ".running_var"),
                false);
    }

    private Tensor get(String name) {
        io.linesight.mmad.architecture.Tensor t = weights.get(name);
        long[] shape = new long[t.shape().length];
        for (int i = 0; i < shape.length; i++) shape[i] = t.shape()[i];
        return Torch.of(t.data(), shape);
    }
}

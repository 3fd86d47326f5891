package io.linesight.mmad.statedict;

import io.linesight.mmad.architecture.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Random state dicts with torchvision's names and shapes up to layer3, and a small classifier; written down apart from
 * the importer.
 */
public final class RandomResNet {
    private final Map<String, Tensor> tensors = new LinkedHashMap<>();
    private final SplittableRandom random;

    private RandomResNet(long seed) {
        random = new SplittableRandom(seed);
    }

    /** @param network resnet18, resnet34, resnet50, wide_resnet50_2 or resnext50_32x4d */
    public static Map<String, Tensor> tensors(String network, long seed) {
        RandomResNet r = new RandomResNet(seed);
        boolean bottleneck = network.contains("50");
        int[] blocks = network.equals("resnet18") ? new int[] {2, 2, 2} : new int[] {3, 4, 6};
        int groups = network.startsWith("resnext") ? 32 : 1;
        double width = network.startsWith("wide") ? 2 : network.startsWith("resnext") ? 2 : 1;
        r.conv("conv1", 64, 3, 7);
        r.norm("bn1", 64);
        int in = 64;
        for (int layer = 1; layer <= 3; layer++) {
            int planes = 64 << layer - 1;
            int middle = bottleneck ? (int) (planes * width) : planes;
            int out = bottleneck ? 4 * planes : planes;
            for (int b = 0; b < blocks[layer - 1]; b++) {
                String p = "layer" + layer + "." + b + ".";
                r.conv(p + "conv1", middle, in, bottleneck ? 1 : 3);
                r.norm(p + "bn1", middle);
                r.conv(p + "conv2", middle, middle / groups, 3);
                r.norm(p + "bn2", middle);
                if (bottleneck) {
                    r.conv(p + "conv3", out, middle, 1);
                    r.norm(p + "bn3", out);
                }
                if (b == 0 && in != out) {
                    r.conv(p + "downsample.0", out, in, 1);
                    r.norm(p + "downsample.1", out);
                }
                in = out;
            }
        }
        r.conv("layer4.0.conv1", 8, in, 1);
        r.tensors.put("fc.weight", r.tensor(0, 0.1, 2, 8));
        r.tensors.put("fc.bias", r.tensor(0, 0.1, 2));
        return r.tensors;
    }

    private void conv(String name, int out, int in, int kernel) {
        tensors.put(name + ".weight", tensor(0, Math.sqrt(6.0 / (in * kernel * kernel)), out, in, kernel, kernel));
    }

    private void norm(String name, int channels) {
        // No trained network has these at their initial values, and those would hide a norm that is left out.
        tensors.put(name + ".weight", tensor(0.8, 0.4, channels));
        tensors.put(name + ".bias", tensor(0.05, 0.3, channels));
        tensors.put(name + ".running_mean", tensor(0, 0.3, channels));
        tensors.put(name + ".running_var", tensor(1.2, 0.6, channels));
    }

    private Tensor tensor(double middle, double spread, int... shape) {
        int n = 1;
        for (int d : shape) n *= d;
        float[] v = new float[n];
        for (int i = 0; i < n; i++) v[i] = (float) (middle + spread * (2 * random.nextDouble() - 1));
        return new Tensor(v, shape);
    }
}

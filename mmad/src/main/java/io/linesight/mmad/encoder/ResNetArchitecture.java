package io.linesight.mmad.encoder;

import io.linesight.mmad.architecture.Tensor;
import io.linesight.mmad.architecture.Weights;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/**
 * The shape of a ResNet as torchvision builds it (its strides lie in the 3x3 convolutions), up to layer3.
 *
 * @param name torchvision's, such as {@code wide_resnet50_2}; a description for others
 * @param bottleneck blocks of 1x1, 3x3, 1x1 convolutions; otherwise of two 3x3
 * @param blocks number of blocks in layer1, layer2, layer3
 * @param width channels of a group in layer1's 3x3 convolution
 * @param groups groups of the 3x3 convolutions
 */
public record ResNetArchitecture(String name, boolean bottleneck, List<Integer> blocks, int width, int groups) {
    /** The published ones. */
    public static final List<ResNetArchitecture> KNOWN = List.of(
            new ResNetArchitecture("resnet18", false, List.of(2, 2, 2), 64, 1),
            new ResNetArchitecture("resnet34", false, List.of(3, 4, 6), 64, 1),
            new ResNetArchitecture("resnet50", true, List.of(3, 4, 6), 64, 1),
            new ResNetArchitecture("resnet101", true, List.of(3, 4, 23), 64, 1),
            new ResNetArchitecture("resnet152", true, List.of(3, 8, 36), 64, 1),
            new ResNetArchitecture("wide_resnet50_2", true, List.of(3, 4, 6), 128, 1),
            new ResNetArchitecture("wide_resnet101_2", true, List.of(3, 4, 23), 128, 1),
            new ResNetArchitecture("resnext50_32x4d", true, List.of(3, 4, 6), 4, 32),
            new ResNetArchitecture("resnext101_32x8d", true, List.of(3, 4, 23), 8, 32));

    private static final int SHOWN = 12;
    private static final int STEM = 64;

    public ResNetArchitecture {
        blocks = List.copyOf(blocks);
    }

    /** A published architecture. @throws IllegalArgumentException when there is none of this name */
    public static ResNetArchitecture of(String name) {
        return KNOWN.stream()
                .filter(a -> a.name.equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("'" + name
                        + "' is no architecture known here; known are "
                        + String.join(", ", KNOWN.stream().map(a -> a.name).toList())));
    }

    /**
     * Tells the architecture by the tensors' names and shapes.
     *
     * @throws IllegalArgumentException when they are not those of a plain ResNet; the message says what they look like
     */
    public static ResNetArchitecture detect(Weights weights) {
        refuseVariants(weights);
        boolean bottleneck = weights.has("layer1.0.conv3.weight");
        int[] first = weights.get("layer1.0.conv1.weight").shape();
        int[] second = weights.has("layer1.0.conv2.weight")
                ? weights.get("layer1.0.conv2.weight").shape()
                : first;
        if (first.length != 4 || second.length != 4 || second[1] < 1 || second[0] < 1)
            throw new IllegalArgumentException("not a ResNet: layer1's convolutions have the shapes "
                    + Arrays.toString(first) + " and " + Arrays.toString(second));
        int groups = bottleneck ? Math.max(1, second[0] / second[1]) : 1;
        int width = bottleneck ? second[0] / groups : STEM;
        List<Integer> blocks = new ArrayList<>();
        for (int layer = 1; layer <= 3; layer++) {
            int n = 0;
            while (weights.has("layer" + layer + "." + n + ".conv1.weight")) n++;
            blocks.add(Math.max(1, n));
        }
        for (ResNetArchitecture a : KNOWN) {
            if (a.bottleneck == bottleneck && a.blocks.equals(blocks) && a.width == width && a.groups == groups)
                return a;
        }
        String name = "a ResNet of " + blocks.get(0) + "+" + blocks.get(1) + "+" + blocks.get(2)
                + (bottleneck ? " bottleneck" : " basic") + " blocks, width " + width
                + (groups > 1 ? ", groups " + groups : "");
        return new ResNetArchitecture(name, bottleneck, blocks, width, groups);
    }

    private static void refuseVariants(Weights w) {
        String variant = null;
        if (w.has("conv1.0.weight"))
            variant = "it has a deep stem of three convolutions (timm's resnet50d, resnet26t and the like)";
        else if (w.names().stream().anyMatch(n -> n.contains(".downsample.2.")))
            variant = "it averages before it downsamples (timm's 'd' variants)";
        else if (w.names().stream().anyMatch(n -> n.startsWith("layer1.") && n.contains(".se.")))
            variant = "it has squeeze-and-excitation (timm's seresnet, ecaresnet)";
        else if (w.names().stream().anyMatch(n -> n.startsWith("layer1.0.convs."))) variant = "it is a Res2Net";
        else if (w.has("stages.0.blocks.0.conv1.weight") || w.has("stem.conv.weight"))
            variant = "it looks like a ResNetV2, RegNet or another network in stages";
        else if (w.has("patch_embed.proj.weight") || w.has("cls_token")) variant = "it looks like a vision transformer";
        else if (w.has("bn1.weight") && !w.has("bn1.running_mean"))
            variant = "its norms have no running statistics (group norm?)";
        else if (!w.has("conv1.weight") || !w.has("layer1.0.conv1.weight")) {
            variant = "it has no conv1 and layer1 but "
                    + w.names().stream().limit(5).reduce((a, b) -> a + ", " + b).orElse("nothing")
                    + (w.count() > 5 ? " and so on" : "");
        }
        if (variant == null) return;
        throw new IllegalArgumentException("these are not the weights of a plain ResNet: " + variant
                + ". Plain torchvision or timm ResNets can be imported as weights; "
                + "any other network as ONNX, with --outputs naming its feature maps");
    }

    /** Channels of the feature maps at strides 4, 8, 16. */
    public List<Integer> channels() {
        return List.of(out(1), out(2), out(3));
    }

    /** Output channels of a layer. */
    int out(int layer) {
        return planes(layer) * (bottleneck ? 4 : 1);
    }

    private static int planes(int layer) {
        return STEM << layer - 1;
    }

    /** Whether the first block of a layer has a convolution in its shortcut. */
    boolean downsamples(int layer) {
        return layer > 1 || bottleneck;
    }

    /** Names and shapes of the tensors that are needed, in the order of the network. */
    Map<String, int[]> tensors() {
        Map<String, int[]> t = new LinkedHashMap<>();
        t.put("conv1.weight", new int[] {STEM, 3, 7, 7});
        norm(t, "bn1", STEM);
        int in = STEM;
        for (int layer = 1; layer <= 3; layer++) {
            int out = out(layer);
            int middle = bottleneck ? planes(layer) / STEM * width * groups : out;
            for (int block = 0; block < blocks.get(layer - 1); block++) {
                String p = "layer" + layer + "." + block + ".";
                int kernel = bottleneck ? 1 : 3;
                conv(t, p + "conv1", p + "bn1", middle, in, kernel);
                conv(t, p + "conv2", p + "bn2", middle, middle / groups, 3);
                if (bottleneck) conv(t, p + "conv3", p + "bn3", out, middle, 1);
                if (block == 0 && downsamples(layer)) conv(t, p + "downsample.0", p + "downsample.1", out, in, 1);
                in = out;
            }
        }
        return t;
    }

    private static void conv(Map<String, int[]> t, String conv, String norm, int out, int in, int kernel) {
        t.put(conv + ".weight", new int[] {out, in, kernel, kernel});
        norm(t, norm, out);
    }

    private static void norm(Map<String, int[]> t, String name, int channels) {
        for (String part : List.of("weight", "bias", "running_mean", "running_var"))
            t.put(name + "." + part, new int[] {channels});
    }

    /**
     * Checks that these are exactly this network's tensors, with usable values. layer4, the classifier and the counters
     * of batches are not needed and not looked at.
     *
     * @param others tensors that were not read, by name, with a word for people
     * @throws IllegalArgumentException with everything that is missing, too many, misshapen or not finite
     */
    public void require(Weights weights, Map<String, String> others) {
        Map<String, int[]> expected = tensors();
        List<String> missing = new ArrayList<>();
        List<String> misshapen = new ArrayList<>();
        List<String> notFinite = new ArrayList<>();
        expected.forEach((name, shape) -> {
            if (!weights.has(name)) {
                missing.add(name
                        + (others.containsKey(name) ? " (it is " + others.get(name) + ", not floating-point)" : ""));
                return;
            }
            Tensor t = weights.get(name);
            if (!Arrays.equals(t.shape(), shape))
                misshapen.add(name + " is " + Arrays.toString(t.shape()) + ", must be " + Arrays.toString(shape));
            else if (!finite(t, name.endsWith("running_var"))) notFinite.add(name);
        });
        TreeSet<String> extra = new TreeSet<>(weights.names());
        extra.addAll(others.keySet());
        extra.removeAll(expected.keySet());
        extra.removeIf(n -> n.startsWith("layer4.")
                || n.equals("fc.weight")
                || n.equals("fc.bias")
                || n.endsWith(".num_batches_tracked"));
        List<String> problems = new ArrayList<>();
        problem(problems, "missing", missing);
        problem(problems, "of another shape", misshapen);
        problem(problems, "not part of it", List.copyOf(extra));
        problem(problems, "with NaN, infinite or impossible values", notFinite);
        if (!problems.isEmpty())
            throw new IllegalArgumentException("the weights do not fit " + name + ": " + String.join("; ", problems));
    }

    private static void problem(List<String> problems, String what, List<String> names) {
        if (names.isEmpty()) return;
        Optional<String> shown = names.stream().limit(SHOWN).reduce((a, b) -> a + ", " + b);
        problems.add(names.size() + " tensor" + (names.size() == 1 ? " " : "s ") + what + " (" + shown.orElseThrow()
                + (names.size() > SHOWN ? " and " + (names.size() - SHOWN) + " more" : "") + ")");
    }

    private static boolean finite(Tensor t, boolean variance) {
        for (float v : t.data()) if (!Float.isFinite(v) || variance && v < 0) return false;
        return true;
    }
}

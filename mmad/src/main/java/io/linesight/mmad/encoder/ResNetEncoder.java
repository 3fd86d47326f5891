package io.linesight.mmad.encoder;

import ai.onnx.proto.OnnxMl.ModelProto;
import io.linesight.mmad.architecture.Tensor;
import io.linesight.mmad.architecture.Weights;
import io.linesight.mmad.onnx.OnnxGraph;
import io.linesight.mmad.onnx.OnnxGraph.Type;

/**
 * ResNets up to layer3, from a state dict. ResNet-34 is the reference's encoder (MMAD_SPEC section 2), with the
 * channels 64, 128, 256. Batch norms are kept as nodes, so that the file holds the state dict's values unchanged; ONNX
 * Runtime folds them when it loads.
 */
public final class ResNetEncoder {
    private static final float[] MEAN = {0.485f, 0.456f, 0.406f};
    private static final float[] STD = {0.229f, 0.224f, 0.225f};

    private final OnnxGraph g = OnnxGraph.graph("resnet");
    private final ResNetArchitecture architecture;
    private final Weights weights;

    private ResNetEncoder(ResNetArchitecture architecture, Weights weights) {
        this.architecture = architecture;
        this.weights = weights;
    }

    /** As {@link #create(Weights, String, boolean)} with ImageNet normalisation inside. */
    public static Encoder create(Weights weights, String name) {
        return create(weights, name, true);
    }

    /**
     * ResNet-34 as an encoder.
     *
     * @param weights tensors {@code conv1.weight}, {@code bn1.*}, {@code layer1.0.conv1.weight} and so on; others are
     *     ignored
     * @param normalise put ImageNet's mean and deviation inside; otherwise the input must come normalised
     * @throws IllegalArgumentException when a tensor is missing
     */
    public static Encoder create(Weights weights, String name, boolean normalise) {
        return create(ResNetArchitecture.of("resnet34"), weights, name, normalise);
    }

    /** The same for any ResNet; {@link ResNetArchitecture#require} tells beforehand whether the weights fit. */
    public static Encoder create(ResNetArchitecture architecture, Weights weights, String name, boolean normalise) {
        return Encoder.of(new ResNetEncoder(architecture, weights).write(normalise), name);
    }

    private byte[] write(boolean normalise) {
        g.scope("input");
        String x = g.input("image", Type.FLOAT, "N", 3, "H", "W");
        if (normalise) {
            x = g.sub(x, g.tensor("mean", new Tensor(MEAN, 1, 3, 1, 1)));
            x = g.op("Div", x, g.tensor("std", new Tensor(STD, 1, 3, 1, 1))).out();
        }
        g.scope("stem");
        x = g.op("Relu", batchNorm(conv(x, "conv1", 7, 2, 1), "bn1")).out();
        x = g.op("MaxPool", x)
                .attrs("kernel_shape", 3, 3)
                .attrs("strides", 2, 2)
                .attrs("pads", 1, 1, 1, 1)
                .out();
        for (int layer = 1; layer <= 3; layer++) {
            int blocks = architecture.blocks().get(layer - 1);
            for (int block = 0; block < blocks; block++) {
                String prefix = "layer" + layer + "." + block + ".";
                g.scope("layer" + layer + "/" + block);
                int stride = layer > 1 && block == 0 ? 2 : 1;
                String y = architecture.bottleneck() ? bottleneck(x, prefix, stride) : basic(x, prefix, stride);
                String shortcut = block == 0 && architecture.downsamples(layer)
                        ? batchNorm(conv(x, prefix + "downsample.0", 1, stride, 1), prefix + "downsample.1")
                        : x;
                OnnxGraph.Node last = g.op("Relu", g.add(y, shortcut));
                x = block == blocks - 1 ? last.out("f" + (2 << layer)) : last.out();
            }
            int stride = 2 << layer;
            g.output("f" + stride, Type.FLOAT, "N", architecture.out(layer), "H" + stride, "W" + stride);
        }
        ModelProto.Builder m = ModelProto.newBuilder()
                .setIrVersion(OnnxGraph.IR_VERSION)
                .setProducerName("linesight")
                .setGraph(g.build());
        m.addOpsetImportBuilder().setDomain("").setVersion(OnnxGraph.OPSET);
        return m.build().toByteArray();
    }

    private String basic(String x, String prefix, int stride) {
        String y = g.op("Relu", batchNorm(conv(x, prefix + "conv1", 3, stride, 1), prefix + "bn1"))
                .out();
        return batchNorm(conv(y, prefix + "conv2", 3, 1, 1), prefix + "bn2");
    }

    private String bottleneck(String x, String prefix, int stride) {
        String y = g.op("Relu", batchNorm(conv(x, prefix + "conv1", 1, 1, 1), prefix + "bn1"))
                .out();
        y = g.op("Relu", batchNorm(conv(y, prefix + "conv2", 3, stride, architecture.groups()), prefix + "bn2"))
                .out();
        return batchNorm(conv(y, prefix + "conv3", 1, 1, 1), prefix + "bn3");
    }

    private String conv(String x, String name, int kernel, int stride, int groups) {
        int pad = kernel / 2;
        String weight = g.tensor(name + ".weight", weights.get(name + ".weight"));
        OnnxGraph.Node node = g.op("Conv", x, weight)
                .attrs("kernel_shape", kernel, kernel)
                .attrs("strides", stride, stride)
                .attrs("pads", pad, pad, pad, pad);
        return (groups > 1 ? node.attr("group", groups) : node).out();
    }

    private String batchNorm(String x, String name) {
        String[] in = {x, name + ".weight", name + ".bias", name + ".running_mean", name + ".running_var"};
        for (int i = 1; i < in.length; i++) g.tensor(in[i], weights.get(in[i]));
        return g.op("BatchNormalization", in).attr("epsilon", 1e-5f).out();
    }
}

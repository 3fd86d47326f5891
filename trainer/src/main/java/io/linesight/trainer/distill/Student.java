package io.linesight.trainer.distill;

import ai.onnx.proto.OnnxMl.ModelProto;
import io.linesight.mmad.io.NpyArray;
import io.linesight.mmad.onnx.OnnxGraph;
import io.linesight.mmad.onnx.OnnxGraph.Type;
import io.linesight.trainer.distill.Architecture.Conv;
import io.linesight.trainer.torch.JavaOp;
import io.linesight.trainer.torch.Torch;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** The network that is trained, as libtorch leaves. Not thread-safe; {@link #close} releases its memory. */
final class Student implements AutoCloseable {
    private static final float[] MEAN = {0.485f, 0.456f, 0.406f};
    private static final float[] STD = {0.229f, 0.224f, 0.225f};
    private static final double EPS = 1e-5;
    private static final String WEIGHT = ".weight";
    private static final String BIAS = ".bias";

    private final Architecture architecture;
    private final boolean channelsLast;
    private final Map<String, Tensor> tensors = new LinkedHashMap<>();
    private final Tensor mean;
    private final Tensor invStd;

    /** A fresh network of random weights. */
    Student(Architecture architecture, long seed, boolean channelsLast) {
        this.architecture = architecture;
        this.channelsLast = channelsLast;
        Random random = new Random(seed);
        for (Conv c : architecture.layers()) {
            int fanIn = c.kernel() * c.kernel() * c.in();
            float[] w = new float[fanIn * c.out()];
            // Outputs begin small: a student that says nothing is better than one that says something at random.
            double sd = Math.sqrt((c.projection() ? 0.01 : 2.0) / fanIn);
            for (int i = 0; i < w.length; i++) w[i] = (float) (sd * random.nextGaussian());
            leaf(c.name() + WEIGHT, Torch.of(w, c.out(), c.in(), c.kernel(), c.kernel()), true);
            if (c.projection()) {
                leaf(c.name() + BIAS, Torch.zeros(c.out()), true);
            } else {
                // A block begins as the identity.
                leaf(
                        c.name() + ".bn.weight",
                        torch.full(new long[] {c.out()}, Torch.scalar(c.name().endsWith("conv2") ? 0 : 1)),
                        true);
                leaf(c.name() + ".bn.bias", Torch.zeros(c.out()), true);
                leaf(c.name() + ".bn.mean", Torch.zeros(c.out()), false);
                leaf(c.name() + ".bn.var", torch.ones(c.out()), false);
            }
        }
        mean = Torch.of(MEAN, 1, 3, 1, 1);
        invStd = Torch.of(new float[] {1 / STD[0], 1 / STD[1], 1 / STD[2]}, 1, 3, 1, 1);
        mean.retainReference();
        invStd.retainReference();
    }

    private void leaf(String name, Tensor t, boolean trainable) {
        Tensor leaf = channelsLast && t.dim() == 4 ? t.contiguous(torch.MemoryFormat.ChannelsLast) : t;
        leaf.retainReference();
        if (trainable) {
            leaf.set_requires_grad(true);
            JavaOp.zeroGradient(leaf);
        }
        tensors.put(name, leaf);
    }

    Architecture architecture() {
        return architecture;
    }

    /** Trainable tensors by name; weights of convolutions are the ones that decay. */
    Map<String, Tensor> trainable() {
        Map<String, Tensor> t = new LinkedHashMap<>(tensors);
        t.keySet().removeIf(n -> n.endsWith(".mean") || n.endsWith(".var"));
        return t;
    }

    /**
     * Features of a batch.
     *
     * @param image {@code [N,3,H,W]} in [0,1]
     * @param training normalise by the batch's statistics and move the running ones
     * @return three tensors, at strides 4, 8, 16
     */
    List<Tensor> forward(Tensor image, boolean training) {
        Tensor x = image.sub(mean).mul(invStd);
        if (channelsLast) x = x.contiguous(torch.MemoryFormat.ChannelsLast);
        x = conv(x, "stem", 2, training).relu_();
        List<Tensor> features = new ArrayList<>();
        for (int s = 0; s < 3; s++) {
            int stride = 4 << s;
            x = conv(x, "down" + stride, 2, training).relu_();
            for (int b = 0; b < architecture.blocks().get(s); b++) {
                String block = "block" + stride + "." + b;
                Tensor y = conv(x, block + ".conv1", 1, training).relu_();
                x = conv(y, block + ".conv2", 1, training).add_(x).relu_();
            }
            features.add(
                    Torch.conv2d(x, tensors.get("f" + stride + WEIGHT), tensors.get("f" + stride + BIAS), 1, 0, 1, 1));
        }
        return features;
    }

    private Tensor conv(Tensor x, String name, int stride, boolean training) {
        Tensor y = Torch.conv2d(x, tensors.get(name + WEIGHT), null, stride, 1, 1, 1);
        return Torch.batchNorm(
                y,
                tensors.get(name + ".bn.weight"),
                tensors.get(name + ".bn.bias"),
                tensors.get(name + ".bn.mean"),
                tensors.get(name + ".bn.var"),
                training);
    }

    /** A copy of all tensors, running statistics included. */
    Map<String, NpyArray> export() {
        Map<String, NpyArray> out = new LinkedHashMap<>();
        tensors.forEach((name, t) -> out.put(name, array(t)));
        return out;
    }

    static NpyArray array(Tensor t) {
        int[] shape = new int[(int) t.dim()];
        for (int i = 0; i < shape.length; i++) shape[i] = (int) t.size(i);
        return new NpyArray(shape, Torch.values(t));
    }

    /** Takes over tensors that {@link #export} gave. */
    void restore(Map<String, float[]> values) {
        tensors.forEach((name, t) -> set(t, name, values));
    }

    /** @throws IllegalArgumentException when there is no such array, or it has another size */
    static void set(Tensor t, String name, Map<String, float[]> all) {
        float[] values = all.get(name);
        if (values == null || values.length != t.numel()) {
            throw new IllegalArgumentException("it has "
                    + (values == null
                            ? "no array '" + name + "'"
                            : values.length + " values in '" + name + "', " + t.numel() + " are needed"));
        }
        long[] shape = new long[(int) t.dim()];
        for (int i = 0; i < shape.length; i++) shape[i] = t.size(i);
        t.detach().copy_(Torch.of(values, shape));
    }

    /**
     * The network as an ONNX file with inputs {@code image [N,3,H,W]} and outputs f4, f8, f16; batch normalisation is
     * folded into the convolutions.
     */
    byte[] onnx() {
        OnnxGraph g = OnnxGraph.graph("linesight-encoder").scope("input");
        String x = g.input("image", Type.FLOAT, "N", 3, "H", "W");
        x = g.sub(x, g.tensor("mean", new io.linesight.mmad.architecture.Tensor(MEAN, 1, 3, 1, 1)));
        x = g.op("Div", x, g.tensor("std", new io.linesight.mmad.architecture.Tensor(STD, 1, 3, 1, 1)))
                .out();
        Map<String, Conv> layers = new LinkedHashMap<>();
        for (Conv c : architecture.layers()) layers.put(c.name(), c);
        x = relu(g, folded(g, x, layers.get("stem")));
        for (int s = 0; s < 3; s++) {
            int stride = 4 << s;
            x = relu(g, folded(g, x, layers.get("down" + stride)));
            for (int b = 0; b < architecture.blocks().get(s); b++) {
                String block = "block" + stride + "." + b;
                String y = relu(g, folded(g, x, layers.get(block + ".conv1")));
                x = relu(g, g.add(folded(g, y, layers.get(block + ".conv2")), x));
            }
            Conv out = layers.get("f" + stride);
            g.scope("f" + stride);
            String w = g.tensor(out.name() + WEIGHT, tensor(out.name() + WEIGHT));
            String bias = g.tensor(out.name() + BIAS, tensor(out.name() + BIAS));
            g.op("Conv", x, w, bias).attrs("kernel_shape", 1, 1).out("f" + stride);
            g.output("f" + stride, Type.FLOAT, "N", out.out(), "H" + stride, "W" + stride);
        }
        ModelProto.Builder m = ModelProto.newBuilder()
                .setIrVersion(OnnxGraph.IR_VERSION)
                .setProducerName("linesight")
                .setGraph(g.build());
        m.addOpsetImportBuilder().setDomain("").setVersion(OnnxGraph.OPSET);
        return m.build().toByteArray();
    }

    private static String relu(OnnxGraph g, String x) {
        return g.op("Relu", x).out();
    }

    private String folded(OnnxGraph g, String x, Conv c) {
        g.scope(c.name());
        float[] w = Torch.values(tensors.get(c.name() + WEIGHT));
        float[] gamma = Torch.values(tensors.get(c.name() + ".bn.weight"));
        float[] beta = Torch.values(tensors.get(c.name() + ".bn.bias"));
        float[] mu = Torch.values(tensors.get(c.name() + ".bn.mean"));
        float[] var = Torch.values(tensors.get(c.name() + ".bn.var"));
        float[] bias = new float[c.out()];
        int each = w.length / c.out();
        for (int o = 0; o < c.out(); o++) {
            double scale = gamma[o] / Math.sqrt(var[o] + EPS);
            for (int i = 0; i < each; i++) w[o * each + i] *= (float) scale;
            bias[o] = (float) (beta[o] - mu[o] * scale);
        }
        String weight = g.tensor(
                c.name() + WEIGHT,
                new io.linesight.mmad.architecture.Tensor(w, c.out(), c.in(), c.kernel(), c.kernel()));
        String b = g.tensor(c.name() + BIAS, new io.linesight.mmad.architecture.Tensor(bias, c.out()));
        return g.op("Conv", x, weight, b)
                .attrs("kernel_shape", c.kernel(), c.kernel())
                .attrs("strides", c.stride(), c.stride())
                .attrs("pads", 1, 1, 1, 1)
                .out();
    }

    private io.linesight.mmad.architecture.Tensor tensor(String name) {
        NpyArray a = array(tensors.get(name));
        return new io.linesight.mmad.architecture.Tensor(a.floats(), a.shape());
    }

    /** Trainable tensors as libtorch takes them. */
    TensorVector vector() {
        TensorVector v = new TensorVector();
        trainable().values().forEach(v::push_back);
        return v;
    }

    @Override
    public void close() {
        tensors.values().forEach(Tensor::releaseReference);
        tensors.clear();
        mean.releaseReference();
        invStd.releaseReference();
    }
}

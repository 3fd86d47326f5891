package io.linesight.mmad.encoder;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import com.google.protobuf.InvalidProtocolBufferException;
import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.architecture.Tensor;
import io.linesight.mmad.onnx.GraphShapes;
import io.linesight.mmad.onnx.OnnxGraph;
import io.linesight.mmad.onnx.OnnxGraph.Type;
import io.linesight.mmad.onnx.OnnxRuntime;
import java.nio.FloatBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Makes an encoder out of any ONNX network: what its three feature maps need is kept, the rest goes, and the step from
 * [0,1] to what the network was trained on may be put before it. A fixed batch or image size in the file is taken as an
 * accident of its export; the result is compared with the file as it came, and with a batch of two.
 */
public final class OnnxCut {
    private static final String INPUT = "linesight.image";
    private static final int SUGGESTIONS = 4;

    private final ModelProto source;
    private final String name;
    private final List<String> outputs;
    private final float[] mean;
    private final float[] std;
    private final String input;
    private Set<String> needed = Set.of();

    private OnnxCut(ModelProto source, String name, List<String> outputs, float[] mean, float[] std) {
        this.source = source;
        this.name = name;
        this.mean = mean;
        this.std = std;
        Set<String> constants = source.getGraph().getInitializerList().stream()
                .map(TensorProto::getName)
                .collect(Collectors.toSet());
        List<ValueInfoProto> inputs = source.getGraph().getInputList().stream()
                .filter(i -> !constants.contains(i.getName()))
                .toList();
        if (inputs.size() != 1)
            throw new IllegalArgumentException("the network must have one input, an image; it has " + inputs.size()
                    + ": " + inputs.stream().map(ValueInfoProto::getName).toList());
        this.input = inputs.get(0).getName();
        requirePicture(inputs.get(0));
        this.outputs = outputs.isEmpty() ? own() : outputs;
        if (this.outputs.size() != 3 || new HashSet<>(this.outputs).size() != 3) {
            throw new IllegalArgumentException("three different feature maps are needed, at strides 4, 8 and 16, not "
                    + this.outputs.size() + suggestions());
        }
    }

    /**
     * Cuts an encoder out of a network and compares the two.
     *
     * @param onnx one self-contained file; its input must be float {@code [N,3,H,W]}
     * @param outputs names of the values to give out, at strides 4, 8, 16; empty when the network's own three outputs
     *     are meant
     * @param mean per channel, taken off the image in [0,1]; null for none
     * @param std per channel, divided by after that; null for none
     * @throws IllegalArgumentException when that makes no encoder; where strides or names are the reason, the message
     *     names values that fit
     */
    public static ImportedEncoder cut(byte[] onnx, String name, List<String> outputs, float[] mean, float[] std) {
        ModelProto source;
        try {
            source = ModelProto.parseFrom(onnx);
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalArgumentException("the network is truncated or not an ONNX file: " + e.getMessage(), e);
        }
        if (source.getGraph().getNodeCount() == 0)
            throw new IllegalArgumentException("the network is not an ONNX file, or an empty one");
        if ((mean == null) != (std == null))
            throw new IllegalArgumentException("a mean needs a deviation, and the other way round");
        return new OnnxCut(source, name, outputs, mean, std).run();
    }

    private ImportedEncoder run() {
        ModelProto pruned = pruned();
        Encoder encoder;
        try {
            encoder = Encoder.of(pruned.toByteArray(), name);
        } catch (IllegalArgumentException e) {
            throw e.getMessage().contains("stride")
                    ? new IllegalArgumentException(e.getMessage().replaceFirst("\\.$", "") + suggestions(), e)
                    : e;
        }
        byte[] image = EncoderCheck.image(1);
        return new ImportedEncoder(
                encoder,
                "ONNX network, values " + String.join(", ", outputs),
                EncoderCheck.compare(encoder, image, original(image)));
    }

    private void requirePicture(ValueInfoProto in) {
        var t = in.getType().getTensorType();
        boolean rgb = t.getShape().getDimCount() == 0
                || t.getShape().getDimCount() == 4
                        && (!t.getShape().getDim(1).hasDimValue()
                                || t.getShape().getDim(1).getDimValue() == 3);
        if (t.getElemType() == Type.FLOAT.code() && rgb) return;
        String dims = t.getShape().getDimList().stream()
                .map(d -> d.hasDimValue()
                        ? Long.toString(d.getDimValue())
                        : d.getDimParam().isEmpty() ? "?" : d.getDimParam())
                .collect(Collectors.joining(","));
        throw new IllegalArgumentException("the input '" + input
                + "' of the network must be float [N,3,H,W], not element type " + t.getElemType() + " with [" + dims
                + "]" + (dims.endsWith(",3") ? "; export the network with channels first" : ""));
    }

    private List<String> own() {
        List<String> own = source.getGraph().getOutputList().stream()
                .map(ValueInfoProto::getName)
                .toList();
        if (own.size() == 3) return own;
        throw new IllegalArgumentException("the network has " + own.size() + (own.size() == 1 ? " output" : " outputs")
                + ", not three feature maps; say with --outputs which values to take" + suggestions());
    }

    /** The nodes that the outputs need, in the file's order, behind the normalisation. */
    private ModelProto pruned() {
        GraphProto g = source.getGraph();
        Map<String, NodeProto> makers = new HashMap<>();
        for (NodeProto n : g.getNodeList()) for (String o : n.getOutputList()) makers.put(o, n);
        for (String o : outputs)
            if (!makers.containsKey(o))
                throw new IllegalArgumentException("the network computes no value '" + o + "'" + suggestions());
        Set<String> needed = new HashSet<>();
        Deque<String> open = new ArrayDeque<>(outputs);
        while (!open.isEmpty()) {
            String value = open.pop();
            if (!needed.add(value) || !makers.containsKey(value)) continue;
            open.addAll(makers.get(value).getInputList());
        }
        if (!needed.contains(input))
            throw new IllegalArgumentException(
                    "the values " + outputs + " of the network do not depend on its input '" + input + "'");
        this.needed = needed;
        OnnxGraph out = OnnxGraph.graph("cut").scope("linesight.input");
        String image = out.input(mean == null ? input : INPUT, Type.FLOAT, "N", 3, "H", "W");
        if (mean != null) {
            String centred = out.sub(image, out.tensor("linesight.mean", new Tensor(mean, 1, 3, 1, 1)));
            out.op("Div", centred, out.tensor("linesight.std", new Tensor(std, 1, 3, 1, 1)))
                    .out(input);
        }
        return keepNeeded(out);
    }

    private ModelProto keepNeeded(OnnxGraph out) {
        for (TensorProto t : source.getGraph().getInitializerList()) if (needed.contains(t.getName())) out.add(t);
        Set<String> operators = new HashSet<>();
        for (NodeProto n : source.getGraph().getNodeList()) {
            if (n.getOutputList().stream().noneMatch(needed::contains)) continue;
            out.add(n);
            operators.add(n.getDomain() + "." + n.getOpType());
        }
        for (String o : outputs) out.output(o, Type.FLOAT);
        ModelProto.Builder m =
                source.toBuilder().setGraph(out.build()).clearMetadataProps().clearTrainingInfo();
        if (source.getFunctionsList().stream().noneMatch(f -> operators.contains(f.getDomain() + "." + f.getName())))
            m.clearFunctions();
        return m.build();
    }

    /**
     * The three values as the network computes them in its own operator set, unoptimised, from an image normalised
     * here.
     */
    private List<float[]> original(byte[] image) {
        int side = MmadConfig.INPUT_SIZE;
        float[] values = EncoderCheck.scaled(image);
        if (mean != null)
            for (int i = 0; i < values.length; i++)
                values[i] = (values[i] - mean[i / (side * side)]) / std[i / (side * side)];
        OnnxGraph graph = OnnxGraph.graph("original");
        graph.input(input, Type.FLOAT, 1, 3, side, side);
        OrtEnvironment env = OnnxRuntime.environment();
        try (OrtSession.SessionOptions options = OnnxRuntime.sessionOptions()) {
            options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.NO_OPT);
            try (OrtSession session = env.createSession(keepNeeded(graph).toByteArray(), options);
                    OnnxTensor tensor =
                            OnnxTensor.createTensor(env, FloatBuffer.wrap(values), new long[] {1, 3, side, side});
                    OrtSession.Result result = session.run(Map.of(input, tensor), new LinkedHashSet<>(outputs))) {
                List<float[]> maps = new ArrayList<>();
                for (String o : outputs) {
                    FloatBuffer b = ((OnnxTensor) result.get(o).orElseThrow()).getFloatBuffer();
                    float[] map = new float[b.remaining()];
                    b.get(map);
                    maps.add(map);
                }
                return maps;
            }
        } catch (OrtException e) {
            throw new IllegalArgumentException("the network does not run as it stands: " + e.getMessage(), e);
        }
    }

    /**
     * Values at the three strides, to choose from: those that the network itself gives out or brings to a smaller size,
     * which is where its stages end; where there are none, the last ones. Nothing when the runtime cannot tell the
     * sizes.
     */
    private String suggestions() {
        GraphShapes shapes;
        try {
            shapes = new GraphShapes(source, input);
        } catch (OrtException e) {
            return "";
        }
        GraphProto g = source.getGraph();
        Set<String> ends =
                g.getOutputList().stream().map(ValueInfoProto::getName).collect(Collectors.toCollection(HashSet::new));
        for (NodeProto n : g.getNodeList()) {
            int side = side(shapes, n.getOutput(0));
            for (String in : n.getInputList()) if (side > 0 && side(shapes, in) > side) ends.add(in);
        }
        StringBuilder text = new StringBuilder(". Values to choose from");
        for (int stride = 4; stride <= 16; stride *= 2) {
            int side = MmadConfig.INPUT_SIZE / stride;
            List<String> all = new ArrayList<>();
            List<String> best = new ArrayList<>();
            for (NodeProto n : g.getNodeList()) {
                for (String o : n.getOutputList()) {
                    if (side(shapes, o) != side) continue;
                    String value = o + " (" + n.getOpType() + ", " + shapes.of(o)[1] + " channels)";
                    all.add(value);
                    if (ends.contains(o)) best.add(value);
                }
            }
            List<String> values = best.isEmpty() ? all : best;
            text.append(stride == 4 ? " at stride " : "; at stride ")
                    .append(stride)
                    .append(": ");
            text.append(
                    values.isEmpty()
                            ? "none"
                            : String.join(
                                    ", ", values.subList(Math.max(0, values.size() - SUGGESTIONS), values.size())));
        }
        return text.toString();
    }

    /** Side of a square feature map; 0 for anything else. */
    private static int side(GraphShapes shapes, String value) {
        long[] s = shapes.of(value);
        return s != null && s.length == 4 && s[1] > 0 && s[2] == s[3] && s[2] > 0 ? (int) s[2] : 0;
    }
}

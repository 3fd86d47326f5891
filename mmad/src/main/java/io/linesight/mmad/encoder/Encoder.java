package io.linesight.mmad.encoder;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import com.google.protobuf.InvalidProtocolBufferException;
import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.io.AtomicFile;
import io.linesight.mmad.io.Sha256;
import io.linesight.mmad.onnx.GraphShapes;
import io.linesight.mmad.onnx.OnnxGraph;
import io.linesight.mmad.onnx.OnnxGraph.Type;
import io.linesight.mmad.onnx.OnnxModels;
import io.linesight.mmad.onnx.OnnxRuntime;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * A frozen image encoder: an ONNX network that takes RGB in [0,1] as {@code [N,3,H,W]} float and gives three feature
 * maps, at strides 4, 8 and 16 in this order. Normalisation belongs inside the network.
 *
 * <p>The network is brought into one canonical form when it is loaded (one operator set, no comments, named nodes), so
 * that it is the same bytes, hence the same {@link #sha256()}, before it is merged into a checkpoint and after it is
 * taken out again. Immutable, thread-safe.
 */
public final class Encoder {
    /** Side of a feature map at strides 4, 8, 16 for the 256x256 input. */
    private static final int[] SIDES = {64, 32, 16};

    private static final Set<String> REDUCTIONS = Set.of(
            "ReduceMean",
            "ReduceMax",
            "ReduceMin",
            "ReduceProd",
            "ReduceL1",
            "ReduceL2",
            "ReduceLogSum",
            "ReduceLogSumExp",
            "ReduceSumSquare");

    private final ModelProto model;
    private final byte[] bytes;
    private final String name;
    private final String sha256;
    private final List<Integer> channels;

    private Encoder(ModelProto canonical, String name, List<Integer> channels) {
        this.bytes = canonical.toByteArray();
        // Parsed again, so that it does not keep the file in memory that the canonical form points into.
        this.model = parse(bytes, name);
        this.name = name;
        this.channels = List.copyOf(channels);
        this.sha256 = Sha256.hex(bytes);
    }

    /**
     * Reads an encoder; its name is the file's, without the extension.
     *
     * @throws IOException when the file cannot be read
     * @throws IllegalArgumentException when it is not a usable encoder; the message says why
     */
    public static Encoder load(Path onnx) throws IOException {
        byte[] bytes;
        try {
            bytes = Files.readAllBytes(onnx);
        } catch (NoSuchFileException e) {
            throw new NoSuchFileException(onnx.toString(), null, "there is no such encoder file");
        }
        String file = onnx.getFileName().toString();
        return of(bytes, file.endsWith(".onnx") ? file.substring(0, file.length() - 5) : file);
    }

    /**
     * An encoder from the bytes of an ONNX file. It is run once on a black 256x256 image, to learn its channels and to
     * check its strides.
     *
     * @throws IllegalArgumentException when it is not a usable encoder; the message says why
     */
    public static Encoder of(byte[] onnx, String name) {
        ModelProto model = parse(onnx, name);
        if (!model.hasGraph() || model.getGraph().getNodeCount() == 0)
            throw new IllegalArgumentException("encoder '" + name + "' is not an ONNX file, or an empty one");
        ModelProto prepared = new Canonical(model, name).model();
        List<Integer> channels = probe(prepared, name);
        return new Encoder(withBoundary(prepared, channels), name, channels);
    }

    private static ModelProto parse(byte[] onnx, String name) {
        try {
            return OnnxModels.parse(onnx);
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalArgumentException("encoder '" + name + "' is not an ONNX file: " + e.getMessage(), e);
        }
    }

    /** Channels at strides 4, 8, 16. */
    public List<Integer> channels() {
        return channels;
    }

    /** Lower-case hex SHA-256 of {@link #onnx()}: identifies the network, whatever file it came from. */
    public String sha256() {
        return sha256;
    }

    /** The canonical ONNX file; a fresh copy. */
    public byte[] onnx() {
        return bytes.clone();
    }

    public String name() {
        return name;
    }

    /**
     * Multiplications with addition for one 256x256 image, in convolutions and matrix products. Loads the network for
     * it.
     *
     * @return empty when sizes inside depend on the data
     */
    public OptionalLong multiplyAdds() {
        try {
            return new GraphShapes(model, inputName()).multiplyAdds();
        } catch (OrtException e) {
            throw new IllegalArgumentException("encoder '" + name + "' cannot be loaded: " + e.getMessage(), e);
        }
    }

    /** Writes {@link #onnx()} to a file, atomically; an existing file is replaced, or stays whole when this fails. */
    public void save(Path file) throws IOException {
        AtomicFile.replace(file, channel -> {
            for (ByteBuffer b = ByteBuffer.wrap(bytes); b.hasRemaining(); ) channel.write(b);
        });
    }

    /** Operator set of the default domain that a model containing this encoder must import. */
    public int opset() {
        return (int) model.getOpsetImport(0).getVersion();
    }

    /** Other operator domains the encoder's nodes use, with their versions. */
    public Map<String, Long> otherDomains() {
        Map<String, Long> domains = new LinkedHashMap<>();
        for (int i = 1; i < model.getOpsetImportCount(); i++)
            domains.put(
                    model.getOpsetImport(i).getDomain(), model.getOpsetImport(i).getVersion());
        return domains;
    }

    /**
     * Copies the network into another graph, every name behind a prefix.
     *
     * @param image the value to feed it, {@code [N,3,H,W]} float in [0,1]
     * @return names of the three feature maps in the graph
     */
    public List<String> mergeInto(OnnxGraph graph, String prefix, String image) {
        GraphProto g = model.getGraph();
        graph.op("Identity", image).out(prefix + g.getInput(0).getName());
        for (TensorProto t : g.getInitializerList())
            graph.add(t.toBuilder().setName(prefix + t.getName()).build());
        for (NodeProto n : g.getNodeList()) graph.add(rename(n, s -> prefix + s));
        List<String> features = new ArrayList<>();
        for (int i = 0; i < 3; i++) features.add(prefix + g.getOutput(i).getName());
        return features;
    }

    /** A model, ready to be run, around a graph that this network was merged into and that has no operators of ours. */
    public ModelProto model(OnnxGraph graph) {
        ModelProto.Builder m = ModelProto.newBuilder()
                .setIrVersion(OnnxGraph.IR_VERSION)
                .setProducerName("linesight")
                .setGraph(graph.build());
        m.addOpsetImportBuilder().setDomain("").setVersion(opset());
        otherDomains()
                .forEach((domain, version) ->
                        m.addOpsetImportBuilder().setDomain(domain).setVersion(version));
        return m.build();
    }

    /**
     * Takes an encoder out of a model it was merged into.
     *
     * @param input name of the encoder's input without the prefix
     * @param outputs names of its three outputs without the prefix
     * @param channels channels of the three outputs
     * @throws IllegalArgumentException when the model has no nodes behind the prefix
     */
    public static Encoder extract(
            ModelProto merged, String prefix, String input, List<String> outputs, List<Integer> channels, String name) {
        GraphProto.Builder g = GraphProto.newBuilder();
        for (NodeProto n : merged.getGraph().getNodeList()) {
            if (n.getName().startsWith(prefix)
                    && n.getOutputCount() > 0
                    && !n.getOutput(0).equals(prefix + input)) g.addNode(rename(n, s -> unprefixed(s, prefix)));
        }
        if (g.getNodeCount() == 0)
            throw new IllegalArgumentException("the model holds no encoder under the prefix '" + prefix + "'");
        for (TensorProto t : merged.getGraph().getInitializerList()) {
            if (t.getName().startsWith(prefix))
                g.addInitializer(t.toBuilder().setName(t.getName().substring(prefix.length())));
        }
        g.addInput(OnnxGraph.value(input, Type.FLOAT, "N", 3, "H", "W"));
        for (String o : outputs) g.addOutput(OnnxGraph.value(o, Type.FLOAT));
        ModelProto model = merged.toBuilder()
                .setGraph(g)
                .clearFunctions()
                .clearMetadataProps()
                .build();
        return new Encoder(withBoundary(new Canonical(model, name).model(), channels), name, channels);
    }

    /** Name of the input in the canonical file. */
    public String inputName() {
        return model.getGraph().getInput(0).getName();
    }

    /** Names of the three outputs in the canonical file. */
    public List<String> outputNames() {
        return model.getGraph().getOutputList().stream().map(o -> o.getName()).toList();
    }

    /**
     * Writes the step from 8-bit frames to the encoder's input.
     *
     * @param frames {@code [N,3,H,W]} uint8
     * @return {@code [N,3,H,W]} float in [0,1]
     */
    public static String scaleFrames(OnnxGraph graph, String frames) {
        String floats = graph.op("Cast", frames).attr("to", Type.FLOAT.code()).out();
        return graph.op("Div", floats, graph.scalar(255)).out();
    }

    private static String unprefixed(String name, String prefix) {
        if (!name.startsWith(prefix))
            throw new IllegalArgumentException("the encoder inside uses a value from outside of it");
        return name.substring(prefix.length());
    }

    private static NodeProto rename(NodeProto n, java.util.function.UnaryOperator<String> f) {
        NodeProto.Builder b =
                n.toBuilder().setName(f.apply(n.getName())).clearInput().clearOutput();
        for (String s : n.getInputList()) b.addInput(s.isEmpty() ? "" : f.apply(s));
        for (String s : n.getOutputList()) b.addOutput(s.isEmpty() ? "" : f.apply(s));
        return b.build();
    }

    private static ModelProto withBoundary(ModelProto canonical, List<Integer> channels) {
        GraphProto.Builder g = canonical.getGraph().toBuilder();
        String in = g.getInput(0).getName();
        g.clearInput().addInput(OnnxGraph.value(in, Type.FLOAT, "N", 3, "H", "W"));
        List<String> outputs = g.getOutputList().stream().map(o -> o.getName()).toList();
        g.clearOutput();
        for (int i = 0; i < 3; i++) {
            int stride = 4 << i;
            g.addOutput(OnnxGraph.value(outputs.get(i), Type.FLOAT, "N", channels.get(i), "H" + stride, "W" + stride));
        }
        return canonical.toBuilder().setGraph(g).build();
    }

    private static List<Integer> probe(ModelProto model, String name) {
        int side = MmadConfig.INPUT_SIZE;
        OrtEnvironment env = OnnxRuntime.environment();
        String input = model.getGraph().getInput(0).getName();
        List<String> outputs =
                model.getGraph().getOutputList().stream().map(o -> o.getName()).toList();
        List<long[]> shapes = new ArrayList<>();
        try (OrtSession.SessionOptions options = OnnxRuntime.sessionOptions()) {
            options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.BASIC_OPT);
            try (OrtSession session = env.createSession(model.toByteArray(), options);
                    OnnxTensor image = OnnxTensor.createTensor(
                            env, FloatBuffer.allocate(3 * side * side), new long[] {1, 3, side, side});
                    OrtSession.Result result = session.run(Map.of(input, image), new HashSet<>(outputs))) {
                for (String o : outputs) {
                    if (!(result.get(o).orElseThrow() instanceof OnnxTensor t))
                        throw new IllegalArgumentException(
                                "encoder '" + name + "': output '" + o + "' is not a tensor");
                    shapes.add(t.getInfo().getShape());
                }
            }
        } catch (OrtException e) {
            throw new IllegalArgumentException(
                    "encoder '" + name + "' does not run on a [1,3," + side + "," + side + "] float input: "
                            + e.getMessage(),
                    e);
        }
        List<Integer> channels = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            long[] s = shapes.get(i);
            if (s.length != 4 || s[0] != 1 || s[2] != SIDES[i] || s[3] != SIDES[i]) {
                throw new IllegalArgumentException("encoder '" + name + "': output " + i + " ('" + outputs.get(i)
                        + "') has shape " + java.util.Arrays.toString(s)
                        + " for a " + side + "x" + side + " image; it must be [1, channels, " + SIDES[i] + ", "
                        + SIDES[i] + "] (stride " + (4 << i)
                        + "). The three outputs must be feature maps at strides 4, 8 and 16 in this order.");
            }
            channels.add((int) s[1]);
        }
        return channels;
    }

    /** Brings a network into canonical form: one operator set, comments dropped, every node named. */
    private static final class Canonical {
        private final ModelProto source;
        private final String name;
        private final int opset;

        Canonical(ModelProto source, String name) {
            this.source = source;
            this.name = name;
            int version = 0;
            for (var o : source.getOpsetImportList())
                if (o.getDomain().isEmpty() || o.getDomain().equals("ai.onnx")) version = (int) o.getVersion();
            if (version < 13)
                throw new IllegalArgumentException("encoder '" + name + "' uses ONNX operator set " + version
                        + "; export it with operator set 13 or newer");
            this.opset = version;
        }

        ModelProto model() {
            GraphProto g = source.getGraph();
            if (source.getFunctionsCount() > 0)
                throw new IllegalArgumentException(
                        "encoder '" + name + "' holds model-local functions; inline them first");
            GraphProto.Builder out = GraphProto.newBuilder().setName("encoder");
            addWeights(g, out);
            addInterface(g, out);
            Set<String> domains = addNodes(g, out);
            ModelProto.Builder m = ModelProto.newBuilder()
                    .setIrVersion(OnnxGraph.IR_VERSION)
                    .setProducerName("linesight")
                    .setGraph(out);
            m.addOpsetImportBuilder().setDomain("").setVersion(Math.max(opset, OnnxGraph.OPSET));
            for (String d : domains) {
                long version = source.getOpsetImportList().stream()
                        .filter(o -> o.getDomain().equals(d))
                        .mapToLong(o -> o.getVersion())
                        .findFirst()
                        .orElse(1);
                m.addOpsetImportBuilder().setDomain(d).setVersion(version);
            }
            return m.build();
        }

        private void addWeights(GraphProto g, GraphProto.Builder out) {
            for (TensorProto t : g.getInitializerList()) {
                if (t.getDataLocation() == TensorProto.DataLocation.EXTERNAL) {
                    throw new IllegalArgumentException("encoder '" + name
                            + "' keeps its weights in a separate file; save it as one self-contained file");
                }
                out.addInitializer(t.toBuilder().clearDocString());
            }
        }

        private void addInterface(GraphProto g, GraphProto.Builder out) {
            Set<String> initializers =
                    g.getInitializerList().stream().map(TensorProto::getName).collect(Collectors.toSet());
            List<String> inputs = g.getInputList().stream()
                    .map(i -> i.getName())
                    .filter(i -> !initializers.contains(i))
                    .toList();
            if (inputs.size() != 1 || g.getOutputCount() != 3) {
                throw new IllegalArgumentException("encoder '" + name
                        + "' must have one input and three outputs (feature maps at strides 4, 8, 16); it has "
                        + inputs.size() + " and " + g.getOutputCount());
            }
            for (var i : g.getInputList())
                if (i.getName().equals(inputs.get(0)))
                    checkInput(
                            i.getType().getTensorType().getElemType(),
                            i.getType().getTensorType().getShape());
            out.addInput(OnnxGraph.value(inputs.get(0), Type.FLOAT, "N", 3, "H", "W"));
            for (var o : g.getOutputList())
                out.addOutput(OnnxGraph.value(
                        o.getName(), Type.FLOAT, "N", "C_" + o.getName(), "H_" + o.getName(), "W_" + o.getName()));
        }

        /** Copies the nodes; returns the operator domains they use beside the standard one. */
        private Set<String> addNodes(GraphProto g, GraphProto.Builder out) {
            Set<String> domains = new TreeSet<>();
            Map<String, Integer> used = new HashMap<>();
            for (NodeProto n : g.getNodeList()) {
                NodeProto.Builder b = n.toBuilder().clearDocString();
                for (var a : n.getAttributeList()) {
                    if (a.hasG() || a.getGraphsCount() > 0)
                        throw new IllegalArgumentException(
                                "encoder '" + name + "' has control flow (" + n.getOpType() + "); export it without");
                }
                if (n.getName().isEmpty() || used.merge(n.getName(), 1, Integer::sum) > 1)
                    b.setName("node." + n.getOutput(0));
                if (n.getDomain().equals("ai.onnx")) b.setDomain("");
                if (!b.getDomain().isEmpty()) domains.add(b.getDomain());
                else upgrade(b, out);
                out.addNode(b);
            }
            return domains;
        }

        private void checkInput(int type, TensorShapeProto shape) {
            boolean rgb = shape.getDimCount() == 0
                    || shape.getDimCount() == 4
                            && (!shape.getDim(1).hasDimValue()
                                    || shape.getDim(1).getDimValue() == 3);
            if (type != Type.FLOAT.code() || !rgb) {
                throw new IllegalArgumentException(
                        "encoder '" + name + "': its input must be float [N,3,H,W] (RGB in [0,1]), not element type "
                                + type + " with " + shape.getDimCount() + " dimensions");
            }
            if (shape.getDimCount() == 4 && shape.getDim(0).hasDimValue()) {
                throw new IllegalArgumentException("encoder '" + name + "' fixes the batch size at "
                        + shape.getDim(0).getDimValue() + "; export it with a dynamic batch dimension");
            }
        }

        /** Rewrites the few operators whose signature changed between the encoder's operator set and ours. */
        private void upgrade(NodeProto.Builder n, GraphProto.Builder out) {
            if (opset >= 18) return;
            if (REDUCTIONS.contains(n.getOpType())) {
                for (int i = 0; i < n.getAttributeCount(); i++) {
                    if (!n.getAttribute(i).getName().equals("axes")) continue;
                    String axes = n.getName() + ".axes";
                    TensorProto.Builder t = TensorProto.newBuilder()
                            .setName(axes)
                            .setDataType(Type.INT64.code())
                            .addDims(n.getAttribute(i).getIntsCount());
                    t.addAllInt64Data(n.getAttribute(i).getIntsList());
                    out.addInitializer(t);
                    n.removeAttribute(i).addInput(axes);
                    return;
                }
            } else if (n.getOpType().equals("Split") && n.getInputCount() == 1) {
                n.addAttributeBuilder()
                        .setName("num_outputs")
                        .setType(ai.onnx.proto.OnnxMl.AttributeProto.AttributeType.INT)
                        .setI(n.getOutputCount());
            }
        }
    }
}

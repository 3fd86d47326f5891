package io.linesight.mmad.onnx;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.onnx.OnnxGraph.Type;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;

/** Shapes of a network's values for one 256x256 image, as ONNX Runtime infers them without running it. */
public final class GraphShapes {
    private final GraphProto graph;
    private final Map<String, long[]> shapes = new HashMap<>();

    /** @throws OrtException when the runtime rejects the network */
    public GraphShapes(ModelProto model, String input) throws OrtException {
        this.graph = model.getGraph();
        int side = MmadConfig.INPUT_SIZE;
        GraphProto.Builder g = graph.toBuilder()
                .clearInput()
                .clearOutput()
                .clearValueInfo()
                .addInput(OnnxGraph.value(input, Type.FLOAT, 1, 3, side, side));
        Set<String> values = new LinkedHashSet<>();
        for (NodeProto n : graph.getNodeList()) for (String o : n.getOutputList()) if (!o.isEmpty()) values.add(o);
        for (String v : values) g.addOutputBuilder().setName(v);
        try (OrtSession.SessionOptions options = OnnxRuntime.sessionOptions()) {
            // Any optimisation would be thrown away with the session.
            options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.NO_OPT);
            try (OrtSession session = OnnxRuntime.environment()
                    .createSession(model.toBuilder().setGraph(g).build().toByteArray(), options)) {
                for (Map.Entry<String, NodeInfo> e : session.getOutputInfo().entrySet()) {
                    if (e.getValue().getInfo() instanceof TensorInfo t) shapes.put(e.getKey(), t.getShape());
                }
            }
        }
        shapes.put(input, new long[] {1, 3, side, side});
        for (TensorProto t : graph.getInitializerList())
            shapes.put(
                    t.getName(),
                    t.getDimsList().stream().mapToLong(Long::longValue).toArray());
    }

    /** @return null when it is not known; unknown sizes are -1 */
    public long[] of(String value) {
        return shapes.get(value);
    }

    /**
     * Multiplications with addition in convolutions and matrix products; empty when a shape is not known beforehand.
     */
    public OptionalLong multiplyAdds() {
        long sum = 0;
        for (NodeProto n : graph.getNodeList()) {
            switch (n.getOpType()) {
                case "Conv", "ConvTranspose" -> {
                    // Every output element of a convolution, and every input element of a transposed one, meets the
                    // weights of one channel.
                    long elements = count(n.getOpType().equals("Conv") ? n.getOutput(0) : n.getInput(0));
                    long weights = count(n.getInput(1));
                    if (elements < 0 || weights < 0) return OptionalLong.empty();
                    if (weights > 0) sum += elements * (weights / shapes.get(n.getInput(1))[0]);
                }
                case "MatMul", "Gemm" -> {
                    long elements = count(n.getOutput(0));
                    long[] left = shapes.get(n.getInput(0));
                    if (elements < 0 || count(n.getInput(0)) < 0 || left.length == 0) return OptionalLong.empty();
                    sum += elements * left[transposed(n) ? 0 : left.length - 1];
                }
                default -> {}
            }
        }
        return OptionalLong.of(sum);
    }

    private static boolean transposed(NodeProto gemm) {
        return gemm.getAttributeList().stream()
                .filter(a -> a.getName().equals("transA"))
                .mapToLong(AttributeProto::getI)
                .anyMatch(i -> i != 0);
    }

    /** Number of elements, -1 where it is unknown. */
    private long count(String value) {
        long[] s = shapes.get(value);
        if (s == null) return -1;
        long n = 1;
        for (long d : s) {
            if (d < 0) return -1;
            n *= d;
        }
        return n;
    }
}

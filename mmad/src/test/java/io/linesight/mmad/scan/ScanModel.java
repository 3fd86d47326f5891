package io.linesight.mmad.scan;

import ai.onnx.proto.OnnxMl.FunctionProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.linesight.mmad.onnx.OnnxRuntime;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A model of one SelectiveScan2D node, optionally with a model-local function of the same name that returns -x: easy to
 * tell apart.
 */
final class ScanModel {
    private static final List<String> INPUTS = List.of("x", "dt", "Bm", "Cm", "A", "Dskip", "dt_bias", "order");
    private static final int[] RANKS = {3, 3, 3, 3, 2, 1, 1, 2};

    private ScanModel() {}

    static byte[] bytes(boolean withFunction) {
        GraphProto.Builder graph = GraphProto.newBuilder().setName("scan");
        for (int i = 0; i < INPUTS.size(); i++)
            graph.addInput(value(INPUTS.get(i), INPUTS.get(i).equals("order") ? 6 : 1, RANKS[i]));
        graph.addOutput(value("y", 1, 3));
        graph.addNode(NodeProto.newBuilder()
                .setDomain(SelectiveScanOperator.DOMAIN)
                .setOpType(SelectiveScanOperator.NAME)
                .setName("scan")
                .addAllInput(INPUTS)
                .addOutput("y"));
        ModelProto.Builder model = ModelProto.newBuilder()
                .setIrVersion(9)
                .setGraph(graph)
                .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("").setVersion(21))
                .addOpsetImport(OperatorSetIdProto.newBuilder()
                        .setDomain(SelectiveScanOperator.DOMAIN)
                        .setVersion(1));
        if (withFunction) {
            model.addFunctions(FunctionProto.newBuilder()
                    .setDomain(SelectiveScanOperator.DOMAIN)
                    .setName(SelectiveScanOperator.NAME)
                    .addAllInput(INPUTS)
                    .addOutput("y")
                    .addOpsetImport(
                            OperatorSetIdProto.newBuilder().setDomain("").setVersion(21))
                    .addNode(NodeProto.newBuilder()
                            .setOpType("Neg")
                            .addInput("x")
                            .addOutput("y")));
        }
        return model.build().toByteArray();
    }

    private static ValueInfoProto value(String name, int type, int rank) {
        TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
        for (int i = 0; i < rank; i++)
            shape.addDim(TensorShapeProto.Dimension.newBuilder().setDimParam(name + i));
        return ValueInfoProto.newBuilder()
                .setName(name)
                .setType(TypeProto.newBuilder()
                        .setTensorType(
                                TypeProto.Tensor.newBuilder().setElemType(type).setShape(shape)))
                .build();
    }

    static float[] run(OrtSession session, ScanCase in) throws OrtException {
        OrtEnvironment env = OnnxRuntime.environment();
        ScanShape s = in.shape();
        long wide = (long) s.directions() * s.channels();
        long gates = (long) s.directions() * s.groups() * s.states();
        Map<String, OnnxTensor> tensors = new LinkedHashMap<>();
        try {
            put(tensors, env, "x", in.x(), s.batch(), s.length(), s.channels());
            put(tensors, env, "dt", in.dt(), s.batch(), s.length(), wide);
            put(tensors, env, "Bm", in.b(), s.batch(), s.length(), gates);
            put(tensors, env, "Cm", in.c(), s.batch(), s.length(), gates);
            put(tensors, env, "A", in.a(), wide, s.states());
            put(tensors, env, "Dskip", in.skip(), in.skip().length);
            put(tensors, env, "dt_bias", in.bias(), wide);
            tensors.put(
                    "order",
                    OnnxTensor.createTensor(env, IntBuffer.wrap(in.order()), new long[] {s.directions(), s.length()}));
            try (OrtSession.Result result = session.run(tensors)) {
                FloatBuffer y = ((OnnxTensor) result.get(0)).getFloatBuffer();
                float[] out = new float[y.remaining()];
                y.get(out);
                return out;
            }
        } finally {
            tensors.values().forEach(OnnxTensor::close);
        }
    }

    private static void put(
            Map<String, OnnxTensor> tensors, OrtEnvironment env, String name, float[] values, long... shape)
            throws OrtException {
        tensors.put(name, OnnxTensor.createTensor(env, FloatBuffer.wrap(values), shape));
    }
}

package io.linesight.streams;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import io.linesight.mmad.checkpoint.Checkpoints;
import java.util.List;
import java.util.Map;

/**
 * The smallest models that can be served: the map is the mean of the colours, 0..255, times a gain, the score its
 * maximum.
 */
public final class ToyCheckpoint {
    private static final int UINT8 = 2;
    private static final int FLOAT = 1;

    private ToyCheckpoint() {}

    public static byte[] bytes() {
        return model(1).build().toByteArray();
    }

    /**
     * A model that knows its version and tells by its scores which one it is. It calls nothing an anomaly, so that
     * results are all there is to write.
     */
    public static byte[] bytes(String version, float gain) {
        return model(gain)
                .addMetadataProps(property(Checkpoints.VERSION, version))
                .addMetadataProps(property(
                        Checkpoints.CALIBRATION,
                        "{\"fallback\":{\"threshold\":10000,\"scale\":1000},\"byProduct\":{}}"))
                .build()
                .toByteArray();
    }

    /** The same with further properties, and a threshold that bright pixels exceed. */
    public static byte[] bytes(String version, float gain, Map<String, String> properties) {
        ModelProto.Builder model = model(gain)
                .addMetadataProps(property(Checkpoints.VERSION, version))
                .addMetadataProps(property(
                        Checkpoints.CALIBRATION, "{\"fallback\":{\"threshold\":100,\"scale\":10},\"byProduct\":{}}"));
        properties.forEach((key, value) -> model.addMetadataProps(property(key, value)));
        return model.build().toByteArray();
    }

    private static ModelProto.Builder model(float gain) {
        GraphProto.Builder graph = GraphProto.newBuilder().setName("toy");
        graph.addInput(value("frames", UINT8, 3, 256, 256))
                .addOutput(value("anomaly_map", FLOAT, 256, 256))
                .addOutput(value("score", FLOAT));
        graph.addNode(node("Cast", "float", "frames").addAttribute(integer("to", FLOAT)));
        graph.addNode(node("ReduceMean", "mean", "float", "one").addAttribute(integer("keepdims", 0)));
        graph.addNode(node("Mul", "anomaly_map", "mean", "gain"));
        graph.addInitializer(
                TensorProto.newBuilder().setName("gain").setDataType(FLOAT).addFloatData(gain));
        graph.addNode(node("ReduceMax", "score", "anomaly_map", "plane").addAttribute(integer("keepdims", 0)));
        graph.addInitializer(TensorProto.newBuilder()
                .setName("one")
                .setDataType(7)
                .addDims(1)
                .addInt64Data(1));
        graph.addInitializer(TensorProto.newBuilder()
                .setName("plane")
                .setDataType(7)
                .addDims(2)
                .addInt64Data(1)
                .addInt64Data(2));
        return ModelProto.newBuilder()
                .setIrVersion(9)
                .setGraph(graph)
                .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("").setVersion(21));
    }

    private static StringStringEntryProto property(String key, String value) {
        return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
    }

    private static NodeProto.Builder node(String type, String output, String... inputs) {
        return NodeProto.newBuilder()
                .setOpType(type)
                .setName(type + "_" + output)
                .addAllInput(List.of(inputs))
                .addOutput(output);
    }

    private static AttributeProto integer(String name, long value) {
        return AttributeProto.newBuilder()
                .setName(name)
                .setType(AttributeProto.AttributeType.INT)
                .setI(value)
                .build();
    }

    private static ValueInfoProto value(String name, int type, long... shape) {
        TensorShapeProto.Builder dims = TensorShapeProto.newBuilder();
        dims.addDim(TensorShapeProto.Dimension.newBuilder().setDimParam("N"));
        for (long d : shape) dims.addDim(TensorShapeProto.Dimension.newBuilder().setDimValue(d));
        return ValueInfoProto.newBuilder()
                .setName(name)
                .setType(TypeProto.newBuilder()
                        .setTensorType(
                                TypeProto.Tensor.newBuilder().setElemType(type).setShape(dims)))
                .build();
    }
}

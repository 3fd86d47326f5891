package io.linesight.mmad.score;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A foreign anomaly model: the map is the mean over the channels (0..255, or 0..1 for float frames), the score its
 * maximum.
 */
final class ToyModel {
    static final int UINT8 = 2;
    static final int FLOAT = 1;

    private int inputType = UINT8;
    private long batch = -1;
    private int side = 256;
    private String mapName = "anomaly_map";
    private boolean squareRoot;

    ToyModel input(int type) {
        inputType = type;
        return this;
    }

    ToyModel batch(int fixed) {
        batch = fixed;
        return this;
    }

    ToyModel side(int pixels) {
        side = pixels;
        return this;
    }

    ToyModel mapName(String name) {
        mapName = name;
        return this;
    }

    /** The map is sqrt(mean - 1) instead of the mean: NaN for black pixels. */
    ToyModel squareRoot() {
        squareRoot = true;
        return this;
    }

    Path write(Path path) throws IOException {
        Files.write(path, bytes());
        return path;
    }

    byte[] bytes() {
        GraphProto.Builder graph = GraphProto.newBuilder().setName("toy");
        graph.addInput(value("frames", inputType, batch, 3, side, side));
        graph.addOutput(value(mapName, FLOAT, batch, side, side)).addOutput(value("score", FLOAT, batch));
        graph.addNode(node("Cast", "float", "frames").addAttribute(integer("to", FLOAT)));
        graph.addNode(node("ReduceMean", squareRoot ? "mean" : mapName, "float", "one")
                .addAttribute(integer("keepdims", 0)));
        if (squareRoot) {
            graph.addNode(node("Sub", "less", "mean", "unit"));
            graph.addNode(node("Sqrt", mapName, "less"));
        }
        graph.addNode(node("ReduceMax", "score", mapName, "plane").addAttribute(integer("keepdims", 0)));
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
        if (squareRoot)
            graph.addInitializer(
                    TensorProto.newBuilder().setName("unit").setDataType(FLOAT).addFloatData(1));
        return ModelProto.newBuilder()
                .setIrVersion(9)
                .setGraph(graph)
                .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("").setVersion(21))
                .build()
                .toByteArray();
    }

    private static NodeProto.Builder node(String type, String output, String... inputs) {
        return NodeProto.newBuilder()
                .setOpType(type)
                .setName(type + "_" + output)
                .addAllInput(java.util.List.of(inputs))
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
        for (long d : shape) {
            TensorShapeProto.Dimension.Builder dim = TensorShapeProto.Dimension.newBuilder();
            dims.addDim(d < 0 ? dim.setDimParam("N") : dim.setDimValue(d));
        }
        return ValueInfoProto.newBuilder()
                .setName(name)
                .setType(TypeProto.newBuilder()
                        .setTensorType(
                                TypeProto.Tensor.newBuilder().setElemType(type).setShape(dims)))
                .build();
    }
}

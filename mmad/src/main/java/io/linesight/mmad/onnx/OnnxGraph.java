package io.linesight.mmad.onnx;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.linesight.mmad.architecture.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Writes one ONNX graph, or the body of a model-local function, node by node. Values are known by name; intermediate
 * names are made up from the current {@linkplain #scope scope}, so that a profile or an error message tells which layer
 * a node belongs to.
 *
 * <p>The graph is written for operator set {@value #OPSET} of the default domain. Not thread-safe.
 */
public final class OnnxGraph {
    /** Operator set of the default domain that written nodes follow: the first with Gelu. */
    public static final int OPSET = 20;
    /** Version of the file format; 9 belongs to opset 20. */
    public static final int IR_VERSION = 9;

    private final GraphProto.Builder graph;
    private final boolean function;
    private final Set<String> constants = new HashSet<>();
    private String scope = "";
    private int counter;

    private OnnxGraph(String name, boolean function) {
        this.graph = GraphProto.newBuilder().setName(name);
        this.function = function;
    }

    /** A graph; constants become initializers. */
    public static OnnxGraph graph(String name) {
        return new OnnxGraph(name, false);
    }

    /** The body of a function; constants become nodes, since a function has no initializers. */
    public static OnnxGraph functionBody(String name) {
        return new OnnxGraph(name, true);
    }

    /** Element types used here. */
    public enum Type {
        FLOAT(TensorProto.DataType.FLOAT),
        INT8(TensorProto.DataType.INT8),
        DOUBLE(TensorProto.DataType.DOUBLE),
        UINT8(TensorProto.DataType.UINT8),
        INT32(TensorProto.DataType.INT32),
        INT64(TensorProto.DataType.INT64),
        BOOL(TensorProto.DataType.BOOL);

        private final int code;

        Type(TensorProto.DataType type) {
            this.code = type.getNumber();
        }

        /** The number ONNX knows the type by. */
        public int code() {
            return code;
        }
    }

    /** Prefix of the names of nodes written from now on; a path such as {@code fuser.cab}. */
    public OnnxGraph scope(String path) {
        scope = path;
        return this;
    }

    public String scope() {
        return scope;
    }

    /** Starts a node of the default domain. */
    public Node op(String type, String... inputs) {
        return new Node(type, inputs);
    }

    /** Adds a node as it stands. */
    public void add(NodeProto node) {
        graph.addNode(node);
    }

    /** Adds an initializer as it stands. */
    public void add(TensorProto initializer) {
        graph.addInitializer(initializer);
    }

    /**
     * Declares a graph input.
     *
     * @param dims sizes; a {@link String} names a size that is not fixed
     */
    public String input(String name, Type type, Object... dims) {
        graph.addInput(value(name, type, dims));
        return name;
    }

    /** Declares a graph output; the value must be written under this name. */
    public void output(String name, Type type, Object... dims) {
        graph.addOutput(value(name, type, dims));
    }

    /** Records the type of an intermediate value. */
    public void valueInfo(ValueInfoProto info) {
        graph.addValueInfo(info);
    }

    /** A named float tensor. */
    public String tensor(String name, Tensor t) {
        return constant(name, floats(name, t));
    }

    /** A float constant without a name of its own. */
    public String floats(float[] values, int... dims) {
        return tensor(fresh("const"), new Tensor(values, dims));
    }

    /** A float scalar. */
    public String scalar(float value) {
        String name = "const.f." + Float.toString(value);
        return constants.contains(name) ? name : tensor(name, new Tensor(new float[] {value}));
    }

    /** A one-dimensional int64 constant: shapes, axes, lengths. */
    public String longs(long... values) {
        StringBuilder b = new StringBuilder("const.i64");
        for (long v : values) b.append('.').append(v);
        return longConstant(b.toString(), values, values.length);
    }

    /** An int64 scalar. */
    public String longScalar(long value) {
        return longConstant("const.i64s." + value, new long[] {value});
    }

    /** A named int32 tensor. */
    public String ints(String name, int[] values, int... dims) {
        if (constants.contains(name)) return name;
        ByteBuffer bytes = ByteBuffer.allocate(values.length * 4).order(ByteOrder.LITTLE_ENDIAN);
        for (int v : values) bytes.putInt(v);
        TensorProto.Builder t = TensorProto.newBuilder()
                .setName(name)
                .setDataType(Type.INT32.code())
                .setRawData(ByteString.copyFrom(bytes.array()));
        for (int d : dims) t.addDims(d);
        return constant(name, t.build());
    }

    /** A named int8 tensor. The array is not copied: whoever makes a tensor hands it over. */
    public String bytes(String name, byte[] values, int... dims) {
        TensorProto.Builder t = TensorProto.newBuilder()
                .setName(name)
                .setDataType(Type.INT8.code())
                .setRawData(UnsafeByteOperations.unsafeWrap(values));
        for (int d : dims) t.addDims(d);
        return constant(name, t.build());
    }

    private String longConstant(String name, long[] values, long... dims) {
        if (constants.contains(name)) return name;
        ByteBuffer bytes = ByteBuffer.allocate(values.length * 8).order(ByteOrder.LITTLE_ENDIAN);
        for (long v : values) bytes.putLong(v);
        TensorProto.Builder t = TensorProto.newBuilder()
                .setName(name)
                .setDataType(Type.INT64.code())
                .setRawData(ByteString.copyFrom(bytes.array()));
        for (long d : dims) t.addDims(d);
        return constant(name, t.build());
    }

    private String constant(String name, TensorProto t) {
        if (!constants.add(name)) throw new IllegalStateException("the graph already has a constant '" + name + "'");
        if (function) {
            graph.addNode(NodeProto.newBuilder()
                    .setOpType("Constant")
                    .setName(name)
                    .addOutput(name)
                    .addAttribute(AttributeProto.newBuilder()
                            .setName("value")
                            .setType(AttributeProto.AttributeType.TENSOR)
                            .setT(t)));
        } else {
            graph.addInitializer(t);
        }
        return name;
    }

    private static TensorProto floats(String name, Tensor t) {
        ByteBuffer bytes = ByteBuffer.allocate(t.size() * 4).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(t.data());
        TensorProto.Builder b = TensorProto.newBuilder()
                .setName(name)
                .setDataType(Type.FLOAT.code())
                .setRawData(ByteString.copyFrom(bytes.array()));
        for (int d : t.shape()) b.addDims(d);
        return b.build();
    }

    private String fresh(String op) {
        return scope + "/" + op + "." + counter++;
    }

    /** The graph as written so far. */
    public GraphProto build() {
        return graph.build();
    }

    /** The nodes as written so far. */
    public List<NodeProto> nodes() {
        return graph.getNodeList();
    }

    /**
     * Type and shape of a value; a {@link String} dimension names a size that is not fixed; without dimensions nothing
     * is said of the shape.
     */
    public static ValueInfoProto value(String name, Type type, Object... dims) {
        TypeProto.Tensor.Builder tensor = TypeProto.Tensor.newBuilder().setElemType(type.code());
        TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
        for (Object d : dims) {
            TensorShapeProto.Dimension.Builder dim = TensorShapeProto.Dimension.newBuilder();
            if (d instanceof Number n) dim.setDimValue(n.longValue());
            else dim.setDimParam((String) d);
            shape.addDim(dim);
        }
        if (dims.length > 0) tensor.setShape(shape);
        return ValueInfoProto.newBuilder()
                .setName(name)
                .setType(TypeProto.newBuilder().setTensorType(tensor))
                .build();
    }

    // ---- shorthands for the operators that every layer uses ----

    public String add(String a, String b) {
        return op("Add", a, b).out();
    }

    public String mul(String a, String b) {
        return op("Mul", a, b).out();
    }

    public String sub(String a, String b) {
        return op("Sub", a, b).out();
    }

    public String matmul(String a, String b) {
        return op("MatMul", a, b).out();
    }

    /** 0 keeps the input's size at that place, -1 takes the rest. */
    public String reshape(String x, long... shape) {
        return op("Reshape", x, longs(shape)).out();
    }

    public String transpose(String x, long... perm) {
        return op("Transpose", x).attrs("perm", perm).out();
    }

    public String concat(int axis, List<String> parts) {
        return parts.size() == 1
                ? parts.get(0)
                : op("Concat", parts.toArray(String[]::new)).attr("axis", axis).out();
    }

    /** Equal or given parts along an axis. */
    public List<String> split(String x, int axis, long... sizes) {
        return op("Split", x, longs(sizes)).attr("axis", axis).outs(sizes.length);
    }

    public String reduce(String kind, String x, boolean keepDims, long... axes) {
        return op(kind, x, longs(axes)).attr("keepdims", keepDims ? 1 : 0).out();
    }

    /** [B,C,H,W]: every pixel's mean over itself and those of its eight neighbours that there are. */
    public String neighbourMean(String x) {
        return op("AveragePool", x)
                .attrs("kernel_shape", 3, 3)
                .attrs("strides", 1, 1)
                .attrs("pads", 1, 1, 1, 1)
                .attr("count_include_pad", 0)
                .out();
    }

    /** x * sigmoid(x). */
    public String silu(String x) {
        return mul(x, op("Sigmoid", x).out());
    }

    /** LayerNormalization over the last axis. */
    public String layerNorm(String x, String scale, @Nullable String bias, float eps) {
        Node n = bias == null ? op("LayerNormalization", x, scale) : op("LayerNormalization", x, scale, bias);
        return n.attr("axis", -1).attr("epsilon", eps).out();
    }

    /** A node being written; {@link #out()} ends it. */
    public final class Node {
        private final NodeProto.Builder node;

        private Node(String type, String... inputs) {
            node = NodeProto.newBuilder().setOpType(type).addAllInput(List.of(inputs));
        }

        public Node domain(String domain) {
            node.setDomain(domain);
            return this;
        }

        public Node attr(String name, long value) {
            node.addAttribute(AttributeProto.newBuilder()
                    .setName(name)
                    .setType(AttributeProto.AttributeType.INT)
                    .setI(value));
            return this;
        }

        public Node attr(String name, float value) {
            node.addAttribute(AttributeProto.newBuilder()
                    .setName(name)
                    .setType(AttributeProto.AttributeType.FLOAT)
                    .setF(value));
            return this;
        }

        public Node attr(String name, String value) {
            node.addAttribute(AttributeProto.newBuilder()
                    .setName(name)
                    .setType(AttributeProto.AttributeType.STRING)
                    .setS(ByteString.copyFromUtf8(value)));
            return this;
        }

        /** A graph of its own, such as the body of a loop. It may name values that this graph has before the node. */
        public Node attr(String name, GraphProto value) {
            node.addAttribute(AttributeProto.newBuilder()
                    .setName(name)
                    .setType(AttributeProto.AttributeType.GRAPH)
                    .setG(value));
            return this;
        }

        /** A list of integers. */
        public Node attrs(String name, long... values) {
            AttributeProto.Builder a =
                    AttributeProto.newBuilder().setName(name).setType(AttributeProto.AttributeType.INTS);
            for (long v : values) a.addInts(v);
            node.addAttribute(a);
            return this;
        }

        /** In a function's body: an integer attribute that takes its value from the calling node. */
        public Node ref(String name, String callersAttribute) {
            node.addAttribute(AttributeProto.newBuilder()
                    .setName(name)
                    .setType(AttributeProto.AttributeType.INT)
                    .setRefAttrName(callersAttribute));
            return this;
        }

        /** Ends the node; its only output gets a made-up name. */
        public String out() {
            return out(fresh(node.getOpType()));
        }

        /** Ends the node; its only output is called so. */
        public String out(String name) {
            graph.addNode(node.setName(name).addOutput(name));
            return name;
        }

        /** Ends a node with several outputs. */
        public List<String> outs(int count) {
            String name = fresh(node.getOpType());
            List<String> names = new ArrayList<>();
            for (int i = 0; i < count; i++) names.add(name + "." + i);
            graph.addNode(node.setName(name).addAllOutput(names));
            return names;
        }
    }
}

package io.linesight.mmad.graph;

import ai.onnx.proto.OnnxMl.FunctionProto;
import io.linesight.mmad.onnx.OnnxGraph;
import io.linesight.mmad.onnx.OnnxGraph.Type;
import java.util.List;

/**
 * The operator {@code linesight::SelectiveScan2D} and its portable definition as a model-local function, which makes a
 * checkpoint run on any ONNX Runtime that has {@code com.microsoft.LinearAttention} (1.29 or newer). Where an operator
 * of this domain and name is registered, ONNX Runtime takes that instead.
 *
 * <p>G channel groups of D channels each are scanned independently in K directions, C = G*D. Inputs, all in raster
 * order: {@code x [B,L,C]}; {@code dt [B,L,K*C]} raw steps without bias, column {@code k*C+g*D+d}; {@code Bm},
 * {@code Cm [B,L,K*G*N]}, column {@code (k*G+g)*N+n}; {@code A [K*C,N]}, negative; {@code Dskip [C]}, summed over the
 * directions; {@code dt_bias [K*C]}; {@code order [K,L]} int32, pixel visited at step t. Output {@code y [B,L,C]}: the
 * K scans accumulated at each pixel, plus Dskip*x. Attributes: {@code groups} = G, {@code k_dirs} = K*G and
 * {@code kv_heads} = K*C (head counts that the function's body needs as attributes).
 *
 * <p>The body sees the scan as gated linear attention with one key/value head per direction and channel (key size N,
 * value size 1): queries are Cm, keys Bm, both shared by the D channels of a group; values softplus(dt)*x; decays
 * softplus(dt)*A.
 */
final class SelectiveScanFunction {
    static final String DOMAIN = "linesight";
    static final String NAME = "SelectiveScan2D";
    static final String CONTRIB_DOMAIN = "com.microsoft";

    private static final List<String> INPUTS = List.of("x", "dt", "Bm", "Cm", "A", "Dskip", "dt_bias", "order");

    private SelectiveScanFunction() {}

    /** Writes a call. */
    static String call(OnnxGraph g, int groups, int directions, int channels, String... inputs) {
        if (inputs.length != INPUTS.size())
            throw new IllegalArgumentException("the scan has " + INPUTS.size() + " inputs, got " + inputs.length);
        return g.op(NAME, inputs)
                .domain(DOMAIN)
                .attr("groups", groups)
                .attr("k_dirs", (long) directions * groups)
                .attr("kv_heads", (long) directions * channels)
                .out();
    }

    static FunctionProto definition(int opset) {
        OnnxGraph g = OnnxGraph.functionBody(NAME).scope("scan");
        body(g);
        FunctionProto.Builder f = FunctionProto.newBuilder()
                .setName(NAME)
                .setDomain(DOMAIN)
                .addAllInput(INPUTS)
                .addOutput("y")
                .addAllNode(g.nodes())
                .addAttribute("groups")
                .addAttribute("k_dirs")
                .addAttribute("kv_heads");
        f.addOpsetImportBuilder().setDomain("").setVersion(opset);
        f.addOpsetImportBuilder().setDomain(CONTRIB_DOMAIN).setVersion(1);
        return f.build();
    }

    private static void body(OnnxGraph g) {
        String directions =
                g.op("Shape", "order").attr("start", 0).attr("end", 1).out();
        // [B,L,K*X] seen as [B,L,K,X]; per direction the pixels are put into visiting order.
        String perDirection = g.concat(0, List.of(g.longs(0, 0), directions, g.longs(-1)));
        String order = g.op("Cast", "order").attr("to", Type.INT64.code()).out();
        String orderIndex = g.op("Unsqueeze", order, g.longs(2)).out();
        String dt = visit(g, "dt", perDirection, orderIndex);
        String keys = visit(g, "Bm", perDirection, orderIndex);
        String queries = visit(g, "Cm", perDirection, orderIndex);
        String x = g.transpose(g.op("Gather", "x", order).attr("axis", 1).out(), 0, 2, 1, 3);
        String scanned = scan(g, directions, dt, keys, queries, x);
        String perPixel = backToRaster(g, scanned, perDirection, order);
        String sum = g.transpose(g.reduce("ReduceSum", perPixel, false, 0), 1, 0, 2);
        g.op("Add", sum, g.mul("x", "Dskip")).out("y");
    }

    /** The recurrence over the pixels in visiting order: gated linear attention with B as keys and C as queries. */
    private static String scan(OnnxGraph g, String directions, String dt, String keys, String queries, String x) {
        String bias = g.op("Reshape", "dt_bias", g.concat(0, List.of(directions, g.longs(-1))))
                .out();
        String step = g.op("Softplus", g.add(dt, bias)).out();
        String states = g.op("Shape", "A").attr("start", 1).attr("end", 2).out();
        String a = g.op("Reshape", "A", g.concat(0, List.of(directions, g.longs(-1), states)))
                .out();
        String decay = g.reshape(g.mul(g.op("Unsqueeze", step, g.longs(-1)).out(), a), 0, 0, -1);
        String values = g.reshape(g.mul(step, x), 0, 0, -1);
        return g.op("LinearAttention", g.reshape(queries, 0, 0, -1), g.reshape(keys, 0, 0, -1), values, "", decay)
                .domain(CONTRIB_DOMAIN)
                .ref("q_num_heads", "k_dirs")
                .ref("kv_num_heads", "kv_heads")
                .attr("update_rule", "gated")
                .attr("scale", 1f)
                .outs(2)
                .get(0);
    }

    /** Rows of [B,L,K*X] in visiting order back in raster order, as [K,L,B,X]. */
    private static String backToRaster(OnnxGraph g, String scanned, String perDirection, String order) {
        String length = g.op("Shape", "order").attr("start", 1).attr("end", 2).out();
        String steps = g.op("Range", g.longScalar(0), g.op("Squeeze", length).out(), g.longScalar(1))
                .out();
        String inverse = g.op(
                        "ScatterElements",
                        order,
                        order,
                        g.op("Expand", steps, g.op("Shape", order).out()).out())
                .attr("axis", 1)
                .out();
        String perStep = g.transpose(g.op("Reshape", scanned, perDirection).out(), 2, 1, 0, 3);
        return g.op("GatherND", perStep, g.op("Unsqueeze", inverse, g.longs(2)).out())
                .attr("batch_dims", 1)
                .out();
    }

    /** Rows of [B,L,K*X] in visiting order, as [B,L,K,X]. */
    private static String visit(OnnxGraph g, String values, String perDirection, String orderIndex) {
        String byDirection = g.transpose(g.op("Reshape", values, perDirection).out(), 2, 1, 0, 3);
        return g.transpose(
                g.op("GatherND", byDirection, orderIndex).attr("batch_dims", 1).out(), 2, 1, 0, 3);
    }
}

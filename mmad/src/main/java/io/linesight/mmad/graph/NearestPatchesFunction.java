package io.linesight.mmad.graph;

import ai.onnx.proto.OnnxMl.FunctionProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import io.linesight.mmad.onnx.OnnxGraph;
import io.linesight.mmad.onnx.OnnxGraph.Type;
import java.util.ArrayList;
import java.util.List;

/**
 * The operator {@code linesight::NearestPatches} ({@link io.linesight.mmad.scan.NearestPatches} says what it computes)
 * and its portable definition as a model-local function of ONNX Runtime's own operators. Where the operator is
 * registered, ONNX Runtime takes that instead.
 *
 * <p>The body multiplies every row of the frame with the rows above, beside and below it in the remembered images, ten
 * times as many products as are wanted, because one matrix product of whole rows is faster than shifted ones. It loops
 * over the frames of a batch: one frame's images to compare with take some 100 MB as float.
 */
final class NearestPatchesFunction {
    static final String NAME = io.linesight.mmad.scan.NearestPatches.NAME;

    private static final List<String> INPUTS = List.of("x", "picks", "memory", "scale");
    private static final float NOTHING = -1e30f;

    private NearestPatchesFunction() {}

    /** Writes a call: [B,H,W]. */
    static String call(OnnxGraph g, String x, String picks, String memory, String scale) {
        return g.op(NAME, x, picks, memory, scale)
                .domain(SelectiveScanFunction.DOMAIN)
                .out();
    }

    static FunctionProto definition(int opset) {
        OnnxGraph g = OnnxGraph.functionBody(NAME).scope("nearest");
        g.op("Scan", "x", "picks")
                .attr("body", image())
                .attr("num_scan_inputs", 2)
                .out("y");
        FunctionProto.Builder f = FunctionProto.newBuilder()
                .setName(NAME)
                .setDomain(SelectiveScanFunction.DOMAIN)
                .addAllInput(INPUTS)
                .addOutput("y")
                .addAllNode(g.nodes());
        f.addOpsetImportBuilder().setDomain("").setVersion(opset);
        return f.build();
    }

    /** One frame: [C,H,W] and [K] to [H,W]. */
    private static GraphProto image() {
        OnnxGraph g = OnnxGraph.functionBody("image").scope("image");
        g.input("frame", Type.FLOAT, "C", "H", "W");
        g.input("compared", Type.INT64, "K");
        String channels = g.op("Shape", "frame").attr("start", 0).attr("end", 1).out();
        String rows = g.op("Shape", "frame").attr("start", 1).attr("end", 2).out();
        String count = g.op("Shape", "compared").out();
        // [K,H,C/4,W,4] to [H,C,K*W].
        String patches = g.transpose(
                g.op(
                                "Cast",
                                g.op("Gather", "memory", "compared")
                                        .attr("axis", 0)
                                        .out())
                        .attr("to", Type.FLOAT.code())
                        .out(),
                1,
                2,
                4,
                0,
                3);
        patches = g.op("Reshape", patches, g.concat(0, List.of(g.longs(0), channels, g.longs(-1))))
                .out();
        String scale = g.reshape(
                g.transpose(g.op("Gather", "scale", "compared").attr("axis", 0).out(), 1, 0, 2), 0, 1, -1);
        patches = g.mul(patches, scale);
        String frame = g.transpose("frame", 1, 2, 0);
        String perImage = g.concat(0, List.of(g.longs(0, 0), count, g.longs(-1)));
        String near = near(g);
        List<String> best = new ArrayList<>();
        for (int shift = -1; shift <= 1; shift++) {
            String mine = rows(g, frame, rows, Math.max(0, -shift), Math.max(0, shift));
            String theirs = rows(g, patches, rows, Math.max(0, shift), Math.max(0, -shift));
            String products = g.op("Reshape", g.matmul(mine, theirs), perImage).out();
            String row = g.reduce("ReduceMax", g.add(g.reduce("ReduceMax", products, false, 2), near), false, 2);
            best.add(
                    shift == 0
                            ? row
                            : g.op(
                                            "Pad",
                                            row,
                                            g.longs(Math.max(0, -shift), 0, Math.max(0, shift), 0),
                                            g.scalar(NOTHING))
                                    .out());
        }
        String length =
                g.op("Sqrt", g.reduce("ReduceSumSquare", frame, false, 2)).out();
        String cosine = g.op(
                        "Div",
                        g.op("Max", best.toArray(String[]::new)).out(),
                        g.op("Max", length, g.scalar(1e-8f)).out())
                .out();
        String distance = g.op("Max", g.sub(g.scalar(1), cosine), g.scalar(0)).out();
        // Maxima may leave NaN out; a broken network must show.
        g.op("Add", distance, g.mul(length, g.scalar(0))).out("distance");
        g.output("distance", Type.FLOAT, "H", "W");
        return g.build();
    }

    /** All rows but some of the first and some of the last. */
    private static String rows(OnnxGraph g, String x, String rows, long first, long last) {
        if (first == 0 && last == 0) return x;
        return g.op("Slice", x, g.longs(first), g.sub(rows, g.longs(last)), g.longs(0))
                .out();
    }

    /** [W,W]: 0 where two places of a row are neighbours, far below all products elsewhere. */
    private static String near(OnnxGraph g) {
        String width = g.op(
                        "Squeeze",
                        g.op("Shape", "frame").attr("start", 2).attr("end", 3).out())
                .out();
        String places = g.op("Range", g.longScalar(0), width, g.longScalar(1)).out();
        String apart = g.op(
                        "Abs",
                        g.sub(
                                g.op("Unsqueeze", places, g.longs(1)).out(),
                                g.op("Unsqueeze", places, g.longs(0)).out()))
                .out();
        return g.op("Where", g.op("LessOrEqual", apart, g.longScalar(1)).out(), g.scalar(0), g.scalar(NOTHING))
                .out();
    }
}

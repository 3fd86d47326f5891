package io.linesight.mmad.graph;

import io.linesight.mmad.onnx.OnnxGraph;
import java.util.List;

/** Writes the decision which pixels of a block are kept as they are. */
final class KeepMaskWriter {
    /** Of the leaky ReLUs on the way to the decision. */
    static final float SLOPE = 0.1f;

    private final OnnxGraph g;
    private final LayerWriter layers;
    private int masks;

    KeepMaskWriter(LayerWriter layers) {
        this.g = layers.graph();
        this.layers = layers;
    }

    /**
     * The keep decision, rule "expected" per image (section 7): with d = z0 - z1 and p0 = sigmoid(d), the floor(sum
     * sigmoid(2*p0-1)) pixels of highest d are kept, ties by lower pixel.
     *
     * @param route [B,L,A]
     * @return bool [B,L,1]
     */
    String write(String route, String prefix) {
        g.scope(g.scope() + "/keep");
        String d = logitDifference(route, prefix);
        layers.tap("logit_diff" + masks, d);
        String expected = expectedCount(d);
        String length = g.op("Shape", d).attr("start", 1).attr("end", 2).out();
        // The bounds only matter for NaN, which must not become an index.
        String whole = g.op("Min", cast(expected, OnnxGraph.Type.INT64), length).out();
        String count = g.op("Max", whole, g.longs(1)).out();
        String mask = g.reshape(highest(d, count, length), 0, -1, 1);
        layers.tap("keep" + masks++, mask);
        return mask;
    }

    /** z0 - z1 of every pixel, [B,L]. */
    private String logitDifference(String route, String prefix) {
        String m = g.reduce("ReduceMean", route, true, 2);
        String hidden =
                g.add(g.mul(m, g.reshape(layers.param(prefix + "0.weight"), 1)), layers.param(prefix + "0.bias"));
        hidden = g.op("LeakyRelu", hidden).attr("alpha", SLOPE).out();
        List<String> w = g.split(g.reshape(layers.param(prefix + "2.weight"), 2), 0, 1, 1);
        List<String> b = g.split(layers.param(prefix + "2.bias"), 0, 1, 1);
        String d = g.add(g.mul(hidden, g.sub(w.get(0), w.get(1))), g.sub(b.get(0), b.get(1)));
        return g.reshape(d, 0, -1);
    }

    /** [B,1], double: its floor is the number of pixels that each image keeps. */
    private String expectedCount(String d) {
        // A sum over up to 4096 pixels: double keeps rounding from moving its floor.
        String p0 = g.op("Sigmoid", cast(d, OnnxGraph.Type.DOUBLE)).out();
        String two = cast(g.scalar(2), OnnxGraph.Type.DOUBLE);
        String one = cast(g.scalar(1), OnnxGraph.Type.DOUBLE);
        String weight = g.op("Sigmoid", g.sub(g.mul(p0, two), one)).out();
        return g.reduce("ReduceSum", weight, true, 1);
    }

    /**
     * The pixels of the count highest values. The count-th one decides; among pixels equal to it the first ones fill
     * up. This does not rely on how TopK orders ties.
     */
    private String highest(String d, String count, String length) {
        String sorted = g.op("TopK", d, length)
                .attr("axis", 1)
                .attr("largest", 1)
                .attr("sorted", 1)
                .outs(2)
                .get(0);
        String cut = g.op("GatherElements", sorted, g.sub(count, g.longs(1)))
                .attr("axis", 1)
                .out();
        String above = g.op("Greater", d, cut).out();
        String equal = g.op("Equal", d, cut).out();
        String aboveCount = g.reduce("ReduceSum", cast(above, OnnxGraph.Type.FLOAT), true, 1);
        String room = g.sub(cast(count, OnnxGraph.Type.FLOAT), aboveCount);
        String place = g.op("CumSum", cast(equal, OnnxGraph.Type.FLOAT), g.longScalar(1))
                .out();
        String filled =
                g.op("And", equal, g.op("LessOrEqual", place, room).out()).out();
        return g.op("Or", above, filled).out();
    }

    private String cast(String x, OnnxGraph.Type type) {
        return g.op("Cast", x).attr("to", type.code()).out();
    }
}

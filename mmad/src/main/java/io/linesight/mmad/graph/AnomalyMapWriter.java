package io.linesight.mmad.graph;

import io.linesight.mmad.architecture.MapKind;
import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.onnx.OnnxGraph;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Writes what compares the student's features with the teacher's: the anomaly map and its score. */
final class AnomalyMapWriter {
    private final OnnxGraph g;
    private final LayerWriter layers;
    private final List<String> levels;

    /** @param levels the decoder's, coarsest first; filled before the map is written */
    AnomalyMapWriter(LayerWriter layers, List<String> levels) {
        this.g = layers.graph();
        this.layers = layers;
        this.levels = levels;
    }

    /**
     * Anomaly map (section 11): cosine distances, upsampled with aligned corners, averaged, smoothed. Upsampling and
     * Gaussian are linear and separable, so each scale is one product from either side: M d M' with M = Gaussian *
     * upsampling.
     *
     * @param teacher three maps [B,c,S,S] at S = 64, 32, 16
     * @param student three maps [B,L,c], from {@link DecoderWriter#decoder}
     * @return [B,256,256]
     */
    String anomalyMap(List<String> teacher, List<String> student, MmadConfig config, String outputName) {
        List<Integer> channels = config.encoderChannels();
        String sum = null;
        String group =
                config.map() == MapKind.WHITENED && config.groups() > 1 ? group(teacher.get(2), channels.get(2)) : null;
        for (int i = config.finest(); i < 3; i++) {
            int side = 64 >> i;
            g.scope("anomaly/" + i);
            String d = g.reshape(
                    cosineDistance(layers.channelsLast(teacher.get(i), channels.get(i)), student.get(i)),
                    0,
                    side,
                    side);
            layers.tap("cosdist" + i, d);
            float times = 9f / (3 - config.finest());
            if (config.map() == MapKind.WHITENED)
                d = whitened(d, teacher.get(i), student.get(i), group, i, channels.get(i), side, times);
            if (config.map() == MapKind.STANDARDISED) d = standardised(d, i, side, times);
            String left =
                    layers.constant("anomaly.matrix." + side, AnomalyMapMatrix.of(side), MmadConfig.INPUT_SIZE, side);
            String map = g.matmul(g.matmul(left, d), g.transpose(left, 1, 0));
            if (i < 2) sum = sum == null ? map : g.add(sum, map);
            else if (sum == null) g.op("Identity", map).out(outputName);
            else g.op("Add", sum, map).out(outputName);
        }
        return outputName;
    }

    /**
     * Excess of log distance over its expectation ({@link MapKind#STANDARDISED}).
     *
     * @param times 9 by the number of scales: the matrices divide by 9, so that the map is the mean over the scales
     */
    private String standardised(String distance, int scale, int side, float times) {
        String prefix = "anomaly_map." + scale + ".";
        String expected = expectation(prefix, scale, side);
        String limits = layers.param(prefix + "limits");
        String level = g.reshape(part(expected, 2, 0), 0, side, side);
        String spread = g.reshape(part(expected, 2, 1), 0, side, side);
        level = g.op("Min", g.op("Max", level, part(limits, 0, 0)).out(), part(limits, 0, 1))
                .out();
        spread = g.op("Min", g.op("Max", spread, part(limits, 0, 2)).out(), part(limits, 0, 3))
                .out();
        String log =
                g.op("Log", g.add(distance, g.scalar(MmadConfig.MIN_DISTANCE))).out();
        String excess = g.op("Div", g.sub(log, level), spread).out();
        return g.mul(positive(excess), g.scalar(times));
    }

    /** [B,L,2]: the expected log distance of every pixel, and its expected deviation. */
    private String expectation(String prefix, int scale, int side) {
        String pixel = levels.get(3 - scale);
        String hidden = g.matmul(pixel, g.transpose(layers.param(prefix + "hidden.pixel"), 1, 0));
        String expected = g.matmul(pixel, g.transpose(layers.param(prefix + "expect.pixel"), 1, 0));
        if (scale < 2) {
            String context = levels.get(1);
            hidden = g.add(
                    hidden,
                    repeated(
                            g.matmul(context, g.transpose(layers.param(prefix + "hidden.context"), 1, 0)),
                            side,
                            MmadConfig.EXPECTATION_UNITS));
            expected = g.add(
                    expected,
                    repeated(g.matmul(context, g.transpose(layers.param(prefix + "expect.context"), 1, 0)), side, 2));
        }
        hidden = layers.relu(g.add(hidden, layers.param(prefix + "hidden.bias")));
        return g.add(
                g.add(expected, g.matmul(hidden, g.transpose(layers.param(prefix + "expect.hidden"), 1, 0))),
                layers.param(prefix + "expect.bias"));
    }

    /** Sum of two log distances' excesses ({@link MapKind#WHITENED}); times as in {@link #standardised}. */
    private String whitened(
            String distance,
            String teacher,
            String student,
            @Nullable String group,
            int scale,
            int c,
            int side,
            float times) {
        String prefix = "anomaly_map." + scale + ".";
        String residual = g.sub(teacher, layers.channelsFirst(student, c, side));
        String centred = g.sub(
                layers.channelsLast(g.neighbourMean(residual), c),
                g.reshape(ofGroup(prefix + "whiten.mean", group), -1, 1, c));
        String white = g.matmul(centred, ofGroup(prefix + "whiten.matrix", group));
        String mean = g.mul(g.reduce("ReduceSumSquare", white, true, 2), g.scalar(1f / c));
        String levels = ofGroup(prefix + "levels", group);
        String sum = g.add(excess(distance, levels, 0, side), excess(g.reshape(mean, 0, side, side), levels, 2, side));
        return g.mul(positive(sum), g.scalar(times));
    }

    /** (ln(distance + 1e-6) - levels[at]) / levels[at + 1], by image and pixel. */
    private String excess(String distance, String levels, int at, int side) {
        String log =
                g.op("Log", g.add(distance, g.scalar(MmadConfig.MIN_DISTANCE))).out();
        return g.op(
                        "Div",
                        g.sub(log, g.reshape(part(levels, 1, at), -1, side, side)),
                        g.reshape(part(levels, 1, at + 1), -1, side, side))
                .out();
    }

    /** [B]: which group every image's mean feature is nearest to. */
    private String group(String teacher, int c) {
        g.scope("anomaly/group");
        String mean = g.reshape(g.reduce("ReduceMean", teacher, true, 2, 3), 0, 1, c);
        String away = g.mul(
                g.sub(mean, g.reshape(layers.param("anomaly_map.groups.centre"), 1, -1, c)),
                layers.param("anomaly_map.groups.scale"));
        return g.op("ArgMin", g.reduce("ReduceSumSquare", away, false, 2))
                .attr("axis", 1)
                .attr("keepdims", 0)
                .out();
    }

    /** A tensor [K,...] by image: [B,...], or [1,...] where there is one group only. */
    private String ofGroup(String name, @Nullable String group) {
        return group == null
                ? layers.param(name)
                : g.op("Gather", layers.param(name), group).attr("axis", 0).out();
    }

    /** Score of a map [B,256,256]: its maximum, or the mean over its highest pixels ({@link MmadConfig#topShare}). */
    void score(String map, MmadConfig config, String outputName) {
        score(g, map, config.topShare(), outputName);
    }

    /** The same with a share of its own. */
    static void score(OnnxGraph g, String map, double topShare, String outputName) {
        g.scope("score");
        if (topShare == 0) {
            g.op("ReduceMax", map, g.longs(1, 2)).attr("keepdims", 0).out(outputName);
            return;
        }
        int side = MmadConfig.INPUT_SIZE / 4;
        String coarse = g.op(
                        "Slice",
                        map,
                        g.longs(0, 0),
                        g.longs(MmadConfig.INPUT_SIZE, MmadConfig.INPUT_SIZE),
                        g.longs(1, 2),
                        g.longs(4, 4))
                .out();
        long count = Math.max(1, Math.round(topShare * side * side));
        String highest = g.op("TopK", g.reshape(coarse, 0, (long) side * side), g.longs(count))
                .attr("axis", 1)
                .attr("largest", 1)
                .attr("sorted", 1)
                .outs(2)
                .get(0);
        // A broken network must show: TopK may leave NaN out, the maximum does not.
        String nan =
                g.mul(g.op("ReduceMax", map, g.longs(1, 2)).attr("keepdims", 0).out(), g.scalar(0));
        g.op("Add", g.reduce("ReduceMean", highest, false, 1), nan).out(outputName);
    }

    /** What is above 0, else 0. Not Relu, which may turn NaN into 0 and so hide a broken network. */
    private String positive(String x) {
        return positive(g, x);
    }

    static String positive(OnnxGraph g, String x) {
        return g.mul(
                x,
                g.op("Cast", g.op("Greater", x, g.scalar(0)).out())
                        .attr("to", OnnxGraph.Type.FLOAT.code())
                        .out());
    }

    private String part(String x, int axis, int index) {
        return g.op("Slice", x, g.longs(index), g.longs(index + 1), g.longs(axis))
                .out();
    }

    /** A 16x16 map [B,256,c] with every pixel repeated to fill side x side. */
    private String repeated(String x, int side, int c) {
        int times = side / 16;
        String spread = g.op("Expand", g.reshape(x, 0, 16, 1, 16, c), g.longs(1, 1, times, 1, 1))
                .out();
        // Rows first, then columns: Expand wants its axes to be there already.
        spread = g.reshape(spread, 0, side, 16, 1, c);
        return g.reshape(g.op("Expand", spread, g.longs(1, 1, 1, times, 1)).out(), 0, (long) side * side, c);
    }

    /**
     * 1 - cos of two vectors as half the squared distance of the unit vectors, which keeps small distances exact in
     * float. A vector shorter than 1e-8 does not reach unit length; what it lacks is added, so that a zero vector gives
     * 1.
     */
    private String cosineDistance(String t, String s) {
        String one = g.scalar(1);
        List<String> unit = new ArrayList<>();
        List<String> missing = new ArrayList<>();
        for (String v : List.of(t, s)) {
            String length =
                    g.op("Sqrt", g.reduce("ReduceSumSquare", v, true, 2)).out();
            String floored = g.op("Max", length, g.scalar(1e-8f)).out();
            unit.add(g.op("Div", v, floored).out());
            String reached = g.op("Div", length, floored).out();
            missing.add(g.sub(one, g.mul(reached, reached)));
        }
        String distance = g.reduce("ReduceSumSquare", g.sub(unit.get(0), unit.get(1)), true, 2);
        return g.mul(g.add(g.add(distance, missing.get(0)), missing.get(1)), g.scalar(0.5f));
    }
}

package io.linesight.mmad.graph;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnx.proto.OnnxMl.ModelProto;
import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.architecture.ScanKind;
import io.linesight.mmad.architecture.Tensor;
import io.linesight.mmad.architecture.Weights;
import io.linesight.mmad.checkpoint.ParityCheckpoint;
import io.linesight.mmad.golden.GoldenSet;
import io.linesight.mmad.graph.Golden.Scan;
import io.linesight.mmad.onnx.OnnxGraph;
import io.linesight.mmad.onnx.OnnxGraph.Type;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The parts of the network against the reference implementation, each within five times the noise of its own float32
 * run.
 */
class NetworkGoldenTest {
    private static final List<ScanKind> ALL = List.of(ScanKind.HILBERT, ScanKind.ZORDER, ScanKind.ZIGZAG);

    @ParameterizedTest
    @CsvSource({
        "hilbert,FUNCTION",
        "zorder,FUNCTION",
        "zigzag,FUNCTION",
        "hilbert,OPERATOR",
        "zorder,OPERATOR",
        "zigzag,OPERATOR"
    })
    void shouldComputeSs2dLikeTheReference(String kind, Scan scan) throws Exception {
        try (GoldenSet golden = GoldenSet.open("ss2d_" + kind + "_8")) {
            int[] shape = golden.get("x").shape();
            int c = shape[3];
            OnnxGraph g = OnnxGraph.graph("ss2d");
            NetworkWriter network = new NetworkWriter(g, Golden.weights(golden, "a."));
            g.input("x", Type.FLOAT, "N", 64, c);
            ScanKind scanKind = ScanKind.valueOf(kind.toUpperCase(java.util.Locale.ROOT));
            String y = network.ss2d("x", new ScanBlockWriter.ScanBlocks(List.of("a"), null, c, 8, scanKind));
            g.output(g.op("Identity", y).out("y"), Type.FLOAT, "N", 64, c);
            MmadGraph.exposeTaps(g, network);
            var out = Golden.run(
                    MmadGraph.model(g, OnnxGraph.OPSET, null),
                    Map.of("x", new Tensor(golden.floats("x"), shape[0], 64, c)),
                    scan);
            Golden.assertClose("y_before_norm", out.get("tap..y_before_norm"), golden.floats("y_before_norm"), 2e-5);
            Golden.assertClose("ss2d " + kind + " " + scan, out.get("y"), golden.floats("y"), 2.5e-6);
        }
    }

    @ParameterizedTest
    @EnumSource(Scan.class)
    void shouldScanGroupsIndependently(Scan scan) throws Exception {
        for (String file : List.of("selective_scan", "selective_scan_small")) {
            try (GoldenSet golden = GoldenSet.open(file)) {
                int[] shape = golden.get("u").shape();
                int batch = shape[0];
                int channels = shape[1];
                int length = shape[2];
                int groups = golden.get("B").shape()[1];
                int states = golden.get("B").shape()[2];
                var out = Golden.run(
                        scanOfGroups(golden, length, channels, groups, states),
                        Map.of(
                                "x", rows(golden, "u", batch, length, channels),
                                "dt", rows(golden, "delta", batch, length, channels),
                                "B", rows(golden, "B", batch, length, groups * states),
                                "C", rows(golden, "C", batch, length, groups * states)),
                        scan);
                Golden.assertClose(
                        file + " " + scan,
                        out.get("y"),
                        Golden.channelsLast(golden.floats("y"), batch, channels),
                        2.5e-6);
            }
        }
    }

    /** A golden [B,C,L] as [B,L,C]. */
    private static Tensor rows(GoldenSet golden, String name, int batch, int length, int channels) throws Exception {
        return new Tensor(Golden.channelsLast(golden.floats(name), batch, channels), batch, length, channels);
    }

    private static ModelProto scanOfGroups(GoldenSet golden, int length, int channels, int groups, int states)
            throws Exception {
        int[] order = new int[length];
        for (int i = 0; i < length; i++) order[i] = i;
        float[] a = golden.floats("A_log").clone();
        for (int i = 0; i < a.length; i++) a[i] = (float) -Math.exp(a[i]);
        OnnxGraph g = OnnxGraph.graph("scan");
        g.input("x", Type.FLOAT, "N", length, channels);
        g.input("dt", Type.FLOAT, "N", length, channels);
        g.input("B", Type.FLOAT, "N", length, groups * states);
        g.input("C", Type.FLOAT, "N", length, groups * states);
        String y = SelectiveScanFunction.call(
                g,
                groups,
                1,
                channels,
                "x",
                "dt",
                "B",
                "C",
                g.tensor("A", new Tensor(a, channels, states)),
                g.tensor("D", Golden.tensor(golden, "D")),
                g.tensor("bias", Golden.tensor(golden, "delta_bias")),
                g.ints("order", order, 1, length));
        g.output(g.op("Identity", y).out("y"), Type.FLOAT, "N", length, channels);
        return MmadGraph.model(g, OnnxGraph.OPSET, null);
    }

    @ParameterizedTest
    @EnumSource(Scan.class)
    void shouldComputeHybridBlockLikeTheReference(Scan scan) throws Exception {
        try (GoldenSet golden = GoldenSet.open("hybrid_64_16")) {
            var out = hybrid(golden, scan, golden.floats("x"));
            Golden.assertClose("route_logit_diff", out.get("tap.logit_diff0"), golden.floats("route_logit_diff"), 2e-5);
            assertThat(out.get("tap.keep0")).isEqualTo(Golden.asFloats(golden.bytes("keep_expected_image")));
            Golden.assertBeginsClose(
                    "hybrid " + scan, out.get("y"), 2 * 256 * 64, golden.floats("y_expected_image"), 1.75e-5);
        }
    }

    @ParameterizedTest
    @EnumSource(Scan.class)
    void shouldNotLetImagesOfABatchInfluenceEachOther(Scan scan) throws Exception {
        try (GoldenSet golden = GoldenSet.open("hybrid_64_16")) {
            float[] both = golden.floats("x");
            int half = both.length / 2;
            float[] together = hybrid(golden, scan, both).get("y");
            float[] second = hybrid(golden, scan, java.util.Arrays.copyOfRange(both, half, both.length))
                    .get("y");
            // Not bit for bit: the runtime multiplies one row by another kernel than two.
            Golden.assertClose(
                    "alone or in a batch", second, java.util.Arrays.copyOfRange(together, half, both.length), 5e-6);
        }
    }

    private static Map<String, float[]> hybrid(GoldenSet golden, Scan scan, float[] x) throws Exception {
        OnnxGraph g = OnnxGraph.graph("hybrid");
        Weights weights = Golden.weights(golden, "b.");
        NetworkWriter network = new NetworkWriter(g, weights);
        g.input("x", Type.FLOAT, "N", 256, 64);
        g.output(g.op("Identity", network.hybridBlock("x", "b", 64, 16, ALL)).out("y"), Type.FLOAT, "N", 256, 64);
        MmadGraph.exposeTaps(g, network);
        ModelProto model = MmadGraph.model(g, OnnxGraph.OPSET, null);
        return Golden.run(model, Map.of("x", new Tensor(x, x.length / 256 / 64, 256, 64)), scan);
    }

    @ParameterizedTest
    @EnumSource(Scan.class)
    void shouldComputeAnomalyMapLikeTheReference(Scan scan) throws Exception {
        try (GoldenSet golden = GoldenSet.open("anomaly_map")) {
            OnnxGraph g = OnnxGraph.graph("map");
            NetworkWriter network = new NetworkWriter(g, new Weights());
            List<String> teacher = new java.util.ArrayList<>();
            List<String> student = new java.util.ArrayList<>();
            Map<String, Tensor> inputs = new java.util.LinkedHashMap<>();
            for (int i = 0; i < 3; i++) {
                int c = 8 << i;
                int side = 64 >> i;
                teacher.add(g.input("t" + i, Type.FLOAT, "N", c, side, side));
                student.add(g.input("s" + i, Type.FLOAT, "N", side * side, c));
                inputs.put("t" + i, new Tensor(teacherFeatures(golden, i), 2, c, side, side));
                float[] rows = Golden.channelsLast(studentFeatures(golden, i), 2, c);
                inputs.put("s" + i, new Tensor(rows, 2, side * side, c));
            }
            g.output(
                    network.anomalyMap(teacher, student, MmadConfig.base(List.of(8, 16, 32)), "map"),
                    Type.FLOAT,
                    "N",
                    256,
                    256);
            MmadGraph.exposeTaps(g, network);
            var out = Golden.run(MmadGraph.model(g, OnnxGraph.OPSET, null), inputs, scan);
            for (int i = 0; i < 3; i++)
                Golden.assertClose("cosdist" + i, out.get("tap.cosdist" + i), golden.floats("cosdist" + i), 5e-7);
            Golden.assertBeginsClose("map", out.get("map"), 2 * 256 * 256, golden.floats("map_smoothed"), 5e-7);
        }
    }

    /** Features of two images at a scale; one vector of the finest is zero, so that its distance is 1. */
    private static float[] teacherFeatures(GoldenSet golden, int scale) throws Exception {
        int pixels = 4096 >> 2 * scale;
        float[] features = generated("amap.ft" + scale, 0.6f, scale);
        for (int c = 0; c < 8 && scale == 0; c++) features[c * pixels + 5 * 64 + 7] = 0;
        return checked(golden, "ft" + scale, features);
    }

    /** The same, with noise at the pixels that the set names. */
    private static float[] studentFeatures(GoldenSet golden, int scale) throws Exception {
        float[] features = generated("amap.ft" + scale, 0.6f, scale);
        float[] noise = generated("amap.noise" + scale, 0, scale);
        byte[] altered = golden.bytes("altered" + scale);
        int pixels = 4096 >> 2 * scale;
        int channels = 8 << scale;
        for (int i = 0; i < features.length; i++) {
            int pixel = i / (channels * pixels) * pixels + i % pixels;
            if (altered[pixel] != 0) features[i] += 0.7f * noise[i];
        }
        return checked(golden, "fs" + scale, features);
    }

    private static float[] generated(String name, float offset, int scale) {
        float range = offset == 0 ? 1 : offset;
        return ParityCheckpoint.tensor(name, offset, range, 2, 8 << scale, 64 >> scale, 64 >> scale)
                .data();
    }

    private static float[] checked(GoldenSet golden, String name, float[] features) throws Exception {
        if (golden.has(name)) assertThat(features).as(name).isEqualTo(golden.floats(name));
        return features;
    }
}

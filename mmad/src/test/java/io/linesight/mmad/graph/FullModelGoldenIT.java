package io.linesight.mmad.graph;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.architecture.Tensor;
import io.linesight.mmad.architecture.Weights;
import io.linesight.mmad.checkpoint.ParityCheckpoint;
import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.golden.GoldenSet;
import io.linesight.mmad.graph.Golden.Scan;
import io.linesight.mmad.onnx.OnnxGraph;
import io.linesight.mmad.onnx.OnnxGraph.Type;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The whole network with 24.9 million made-up weights against the reference implementation. */
class FullModelGoldenIT {

    @ParameterizedTest
    @EnumSource(Scan.class)
    void shouldComputeFuserLikeTheReference(Scan scan) throws Exception {
        Weights weights = ParityCheckpoint.weights(GoldenSet.weightsManifest());
        MmadConfig config = ParityCheckpoint.config();
        try (GoldenSet golden = GoldenSet.open("fuser_eval")) {
            OnnxGraph g = OnnxGraph.graph("fuser");
            NetworkWriter network = new NetworkWriter(g, weights);
            List<String> t = List.of(
                    g.input("in0", Type.FLOAT, "N", 64, 64, 64),
                    g.input("in1", Type.FLOAT, "N", 128, 32, 32),
                    g.input("in2", Type.FLOAT, "N", 256, 16, 16));
            g.output(g.op("Identity", network.fuser(t, config)).out("out"), Type.FLOAT, "N", 512, 8, 8);
            MmadGraph.exposeTaps(g, network);
            var out = Golden.run(
                    MmadGraph.model(g, OnnxGraph.OPSET, null),
                    Map.of(
                            "in0",
                            Golden.tensor(golden, "in0"),
                            "in1",
                            Golden.tensor(golden, "in1"),
                            "in2",
                            Golden.tensor(golden, "in2")),
                    scan);
            Golden.assertClose("gate", out.get("tap.gate"), golden.floats("tap_gate"), 5e-6);
            Golden.assertBeginsClose("fuser " + scan, out.get("out"), 512 * 64, golden.floats("z"), 2.25e-5);
        }
    }

    @ParameterizedTest
    @EnumSource(Scan.class)
    void shouldComputeTheWholeModelLikeTheReference(Scan scan) throws Exception {
        Weights weights = ParityCheckpoint.weights(GoldenSet.weightsManifest());
        MmadConfig config = ParityCheckpoint.config();
        Encoder encoder = ParityCheckpoint.encoder(weights, false);
        try (GoldenSet golden = GoldenSet.open("full_model_eval")) {
            Tensor x = ParityCheckpoint.tensor("input", 0, 2, 1, 3, 256, 256);
            assertThat(x.data()).as("generated input").isEqualTo(golden.floats("x"));
            var out = Golden.run(
                    MmadGraph.write(config, weights, encoder, new MmadGraph.Options(true, true)),
                    Map.of("frames", x),
                    scan);
            double[] student = {7.5e-4, 3.4e-4, 9e-5};
            boolean complete = golden.has("feats_t0");
            for (int i = 0; i < 3 && complete; i++) {
                Golden.assertClose("t" + i, out.get("tap.feats_t" + i), golden.floats("feats_t" + i), 2.25e-5);
            }
            Golden.assertBeginsClose("z", out.get("tap.z"), 512 * 64, golden.floats("z"), 5e-5);
            for (int i = 0; i < 6; i++)
                assertThat(out.get("tap.keep" + i))
                        .as("keep mask of block %d", i)
                        .isEqualTo(Golden.asFloats(golden.bytes("keep" + i)));
            for (int i = 2; i >= 0 && complete; i--) {
                Golden.assertClose(
                        "s" + i,
                        out.get("tap.feats_s" + i),
                        Golden.channelsLast(
                                golden.floats("feats_s" + i),
                                1,
                                config.encoderChannels().get(i)),
                        student[i]);
            }
            Golden.assertClose("anomaly map " + scan, out.get("anomaly_map"), golden.floats("anomaly_map"), 1.6e-6);
            assertThat((double) out.get("score")[0])
                    .isCloseTo(golden.doubles("image_score_f64")[0], org.assertj.core.data.Offset.offset(1.6e-6));
        }
    }
}

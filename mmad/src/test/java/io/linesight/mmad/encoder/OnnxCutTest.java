package io.linesight.mmad.encoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnx.proto.OnnxMl.ModelProto;
import io.linesight.mmad.checkpoint.ParityCheckpoint;
import io.linesight.mmad.onnx.OnnxGraph;
import io.linesight.mmad.onnx.OnnxGraph.Type;
import io.linesight.mmad.runtime.ScorerOptions;
import java.util.List;
import org.junit.jupiter.api.Test;

class OnnxCutTest {
    private static final List<String> MAPS = List.of("a", "b", "c");

    /**
     * A classifier with a fixed batch and image size, as exporters write it: convolutions, then a head that takes
     * 256x256 only.
     */
    private static byte[] classifier(Object batch, boolean fixedInside, int opset) {
        OnnxGraph g = OnnxGraph.graph("net").scope("n");
        String x = g.input("pixels", Type.FLOAT, batch, 3, 224, 224);
        int in = 3;
        for (int i = 0; i < 4; i++) {
            int out = 8 << i;
            int stride = i == 0 ? 4 : 2;
            String w = g.tensor(
                    "w" + i, ParityCheckpoint.tensor("cut.w" + i, 0.02f, 0.5f / stride, out, in, stride, stride));
            x = g.op("Relu", g.op("Conv", x, w).attrs("strides", stride, stride).out())
                    .out(List.of("a", "b", "c", "d").get(i));
            if (fixedInside && i == 0) x = g.reshape(x, 1, 8, 64, 64);
            in = out;
        }
        String flat = g.reshape(g.op("GlobalAveragePool", x).out(), 1, 64);
        g.op("MatMul", flat, g.tensor("fc", ParityCheckpoint.tensor("cut.fc", 0, 1, 64, 10)))
                .out("logits");
        g.output("logits", Type.FLOAT, batch, 10);
        ModelProto.Builder m = ModelProto.newBuilder().setIrVersion(8).setGraph(g.build());
        m.addOpsetImportBuilder().setDomain("").setVersion(opset);
        return m.build().toByteArray();
    }

    @Test
    void shouldKeepOnlyWhatTheMapsNeed() {
        ImportedEncoder e = OnnxCut.cut(classifier(1, false, 15), "net", MAPS, null, null);
        assertThat(e.encoder().channels()).containsExactly(8, 16, 32);
        assertThat(e.encoder().outputNames()).isEqualTo(MAPS);
        assertThat(new String(e.encoder().onnx(), java.nio.charset.StandardCharsets.ISO_8859_1))
                .doesNotContain("logits", "w3", "fc");
        assertThat(e.differences()).allSatisfy(d -> assertThat(d).isLessThan(1e-5));
        // 64*64*8 * 3*4*4 + 32*32*16 * 8*2*2 + 16*16*32 * 16*2*2
        assertThat(e.encoder().multiplyAdds()).hasValue(1_572_864 + 524_288 + 524_288);
    }

    @Test
    void shouldPutTheNormalisationInside() {
        float[] mean = {0.485f, 0.456f, 0.406f};
        float[] std = {0.229f, 0.224f, 0.225f};
        Encoder plain =
                OnnxCut.cut(classifier("N", false, 20), "net", MAPS, null, null).encoder();
        Encoder normalised =
                OnnxCut.cut(classifier("N", false, 20), "net", MAPS, mean, std).encoder();
        byte[] black = new byte[3 * 256 * 256];
        try (EncoderSession a =
                        EncoderSession.open(plain, ScorerOptions.defaults().withThreads(1));
                EncoderSession b =
                        EncoderSession.open(normalised, ScorerOptions.defaults().withThreads(1))) {
            assertThat(a.features(List.of(black))[0]).containsOnly(0);
            // Black is -mean/std to the network: relu(sum of w * that).
            float[] w =
                    ParityCheckpoint.tensor("cut.w0", 0.02f, 0.125f, 8, 3, 4, 4).data();
            double expected = 0;
            for (int i = 0; i < 48; i++) expected += w[i] * -mean[i / 16] / std[i / 16];
            assertThat(b.features(List.of(black))[0][0])
                    .isCloseTo((float) Math.max(0, expected), org.assertj.core.data.Offset.offset(1e-4f));
        }
        assertThat(normalised.sha256()).isNotEqualTo(plain.sha256());
    }

    @Test
    void shouldSuggestValuesWhereStridesOrNamesAreWrong() {
        byte[] net = classifier(1, false, 15);
        assertThatThrownBy(() -> OnnxCut.cut(net, "net", List.of("b", "c", "d"), null, null))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll(
                        "stride 4",
                        "Values to choose from at stride 4: a (Relu, 8 channels); at stride 8: b (Relu, 16 "
                                + "channels); at stride 16: c (Relu, 32 channels)");
        assertThatThrownBy(() -> OnnxCut.cut(net, "net", List.of("a", "b", "x"), null, null))
                .hasMessageContainingAll("no value 'x'", "c (Relu, 32 channels)");
        assertThatThrownBy(() -> OnnxCut.cut(net, "net", List.of(), null, null))
                .hasMessageContainingAll("1 output,", "--outputs", "a (Relu, 8 channels)");
        assertThatThrownBy(() -> OnnxCut.cut(net, "net", List.of("a", "b", "b"), null, null))
                .hasMessageContaining("three different");
    }

    @Test
    void shouldRejectWhatCannotBeBatched() {
        assertThatThrownBy(() -> OnnxCut.cut(classifier(1, true, 15), "net", MAPS, null, null))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("two images at once");
    }

    @Test
    void shouldRejectNetworksThatTakeNoImages() {
        assertThatThrownBy(() -> OnnxCut.cut(new byte[] {1, 2, 3}, "x", MAPS, null, null))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("not an ONNX file");
        assertThatThrownBy(() -> OnnxCut.cut(new byte[0], "x", MAPS, null, null))
                .hasMessageContaining("not an ONNX file");
        OnnxGraph g = OnnxGraph.graph("last");
        g.op("Relu", g.input("p", Type.FLOAT, 1, 224, 224, 3)).out("y");
        g.output("y", Type.FLOAT);
        ModelProto.Builder m = ModelProto.newBuilder().setIrVersion(8).setGraph(g.build());
        m.addOpsetImportBuilder().setDomain("").setVersion(15);
        assertThatThrownBy(() -> OnnxCut.cut(m.build().toByteArray(), "x", MAPS, null, null))
                .hasMessageContainingAll("[1,224,224,3]", "channels first");
        byte[] whole = classifier(1, false, 15);
        assertThatThrownBy(() -> OnnxCut.cut(java.util.Arrays.copyOf(whole, whole.length / 2), "x", MAPS, null, null))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("truncated");
    }
}

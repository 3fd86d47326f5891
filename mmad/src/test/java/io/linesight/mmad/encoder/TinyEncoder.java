package io.linesight.mmad.encoder;

import ai.onnx.proto.OnnxMl.ModelProto;
import io.linesight.mmad.checkpoint.ParityCheckpoint;
import io.linesight.mmad.onnx.OnnxGraph;
import io.linesight.mmad.onnx.OnnxGraph.Type;
import java.util.List;

/** A small random encoder for tests. */
public final class TinyEncoder {
    private TinyEncoder() {}

    public static Encoder create(List<Integer> channels, int opset) {
        return Encoder.of(bytes(channels, opset, 4, "N"), "tiny-test");
    }

    static byte[] bytes(List<Integer> channels, int opset, int firstStride, Object batch) {
        OnnxGraph g = OnnxGraph.graph("tiny").scope("e");
        String x = g.input("image", Type.FLOAT, batch, 3, 256, 256);
        // A reduction, because its signature changed between operator sets 17 and 18.
        String mean =
                opset < 18 ? g.op("ReduceMean", x).attrs("axes", 2, 3).out() : g.reduce("ReduceMean", x, true, 2, 3);
        x = g.sub(x, mean);
        int in = 3;
        for (int i = 0; i < 3; i++) {
            int stride = i == 0 ? firstStride : 2;
            int out = channels.get(i);
            String w =
                    g.tensor("w" + i, ParityCheckpoint.tensor("tiny.w" + i, 0, 1f / stride, out, in, stride, stride));
            String conv = g.op("Conv", x, w).attrs("strides", stride, stride).out();
            x = g.op("Relu", conv).out("f" + (4 << i));
            g.output(x, Type.FLOAT, batch, out, "H" + i, "W" + i);
            in = out;
        }
        ModelProto.Builder m = ModelProto.newBuilder().setIrVersion(8).setGraph(g.build());
        m.addOpsetImportBuilder().setDomain("").setVersion(opset);
        return m.build().toByteArray();
    }
}

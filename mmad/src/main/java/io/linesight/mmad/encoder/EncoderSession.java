package io.linesight.mmad.encoder;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.linesight.mmad.model.MmadConfig;
import io.linesight.mmad.onnx.OnnxGraph.Type;
import io.linesight.mmad.onnx.OnnxGraph;
import io.linesight.mmad.runtime.DeviceChooser;
import io.linesight.mmad.runtime.ScanMode;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.mmad.runtime.ScoringException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;

/**
 * A loaded encoder: frames in, feature maps out. One call at a time; whoever opened the session closes it.
 */
public final class EncoderSession implements AutoCloseable {
    private static final String FRAMES = "frames";
    private static final String PREFIX = "encoder.";

    private final OrtEnvironment env = OrtEnvironment.getEnvironment();
    private final Encoder encoder;
    private final OrtSession session;
    private final List<String> outputs;

    private EncoderSession(Encoder encoder, OrtSession session, List<String> outputs) {
        this.encoder = encoder;
        this.session = session;
        this.outputs = outputs;
    }

    /**
     * Loads the encoder on the device that the options name; their scan mode does not matter.
     *
     * @throws io.linesight.mmad.runtime.ModelLoadException when the device is not there
     * @throws ScoringException                          when the runtime refuses the encoder
     */
    public static EncoderSession open(Encoder encoder, ScorerOptions options) {
        OnnxGraph graph = OnnxGraph.graph("features").scope("frames");
        int side = MmadConfig.INPUT_SIZE;
        graph.input(FRAMES, Type.UINT8, "N", 3, side, side);
        List<String> outputs = encoder.mergeInto(graph, PREFIX, Encoder.scaleFrames(graph, FRAMES));
        for (int i = 0; i < 3; i++) graph.output(outputs.get(i), Type.FLOAT, "N", encoder.channels().get(i), side >> (2 + i), side >> (2 + i));
        ModelProto.Builder model = ModelProto.newBuilder().setIrVersion(OnnxGraph.IR_VERSION).setGraph(graph.build());
        model.addOpsetImportBuilder().setDomain("").setVersion(encoder.opset());
        encoder.otherDomains().forEach((d, v) -> model.addOpsetImportBuilder().setDomain(d).setVersion(v));
        byte[] bytes = model.build().toByteArray();
        try {
            // An encoder has no scan, so the operator need not be set up for it.
            DeviceChooser.Opened opened = DeviceChooser.open("encoder '" + encoder.name() + "'", options.withScan(ScanMode.FUNCTION), (env, o) -> env.createSession(bytes, o));
            return new EncoderSession(encoder, opened.session(), outputs);
        } catch (OrtException e) {
            throw new ScoringException("encoder '" + encoder.name() + "' cannot be loaded: " + e.getMessage(), e);
        }
    }

    public Encoder encoder() {
        return encoder;
    }

    /**
     * Features of a batch.
     *
     * @param planarRgbFrames planar RGB, 8 bit, each {@code 3*256*256} bytes; 1 or more
     * @return three arrays: {@code [N, c, 64, 64]}, {@code [N, c, 32, 32]} and {@code [N, c, 16, 16]}, row-major
     * @throws ScoringException when the runtime fails; the session stays usable
     */
    public float[][] features(List<byte[]> planarRgbFrames) {
        int n = planarRgbFrames.size();
        int side = MmadConfig.INPUT_SIZE;
        int frameBytes = 3 * side * side;
        if (n == 0) throw new IllegalArgumentException("no frames");
        ByteBuffer buffer = ByteBuffer.allocateDirect(n * frameBytes).order(ByteOrder.nativeOrder());
        for (byte[] frame : planarRgbFrames) {
            if (frame.length != frameBytes) throw new IllegalArgumentException("a frame must be " + frameBytes + " bytes (planar RGB 256x256), got " + frame.length);
            buffer.put(frame);
        }
        buffer.flip();
        try (OnnxTensor input = OnnxTensor.createTensor(env, buffer, new long[] {n, 3, side, side}, OnnxJavaType.UINT8);
                OrtSession.Result result = session.run(Map.of(FRAMES, input), new LinkedHashSet<>(outputs))) {
            float[][] features = new float[3][];
            for (int i = 0; i < 3; i++) {
                var values = ((OnnxTensor) result.get(i)).getFloatBuffer();
                features[i] = new float[values.remaining()];
                values.get(features[i]);
            }
            return features;
        } catch (OrtException e) {
            throw new ScoringException("encoder '" + encoder.name() + "' failed on a batch of " + n + ": " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        try {
            session.close();
        } catch (OrtException e) {
            throw new ScoringException("closing encoder '" + encoder.name() + "' failed: " + e.getMessage(), e);
        }
    }
}

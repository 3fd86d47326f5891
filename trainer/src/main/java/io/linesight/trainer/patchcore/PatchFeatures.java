package io.linesight.trainer.patchcore;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.graph.MmadGraph;
import io.linesight.mmad.graph.PatchCoreGraph;
import io.linesight.mmad.model.MmadConfig;
import io.linesight.mmad.runtime.DeviceChooser;
import io.linesight.mmad.runtime.ScanMode;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.mmad.runtime.ScoringException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;

/** Frames to patches, by the same operators that the checkpoint will serve with. One call at a time. */
final class PatchFeatures implements AutoCloseable {
    private final OrtEnvironment env = OrtEnvironment.getEnvironment();
    private final String name;
    private final OrtSession session;

    private PatchFeatures(String name, OrtSession session) {
        this.name = name;
        this.session = session;
    }

    /** @throws ScoringException when the runtime refuses the encoder */
    static PatchFeatures open(Encoder encoder, ScorerOptions options) {
        byte[] model = PatchCoreGraph.patches(encoder).toByteArray();
        try {
            return new PatchFeatures(encoder.name(), DeviceChooser.open("encoder '" + encoder.name() + "'", options.withScan(ScanMode.FUNCTION), (e, o) -> e.createSession(model, o)).session());
        } catch (OrtException e) {
            throw new ScoringException("encoder '" + encoder.name() + "' cannot be loaded: " + e.getMessage(), e);
        }
    }

    /**
     * @param frames planar RGB 256x256
     * @return [N,1024,D]
     */
    float[] of(List<byte[]> frames) {
        int side = MmadConfig.INPUT_SIZE;
        ByteBuffer buffer = ByteBuffer.allocateDirect(frames.size() * 3 * side * side).order(ByteOrder.nativeOrder());
        for (byte[] frame : frames) buffer.put(frame);
        buffer.flip();
        try (OnnxTensor input = OnnxTensor.createTensor(env, buffer, new long[] {frames.size(), 3, side, side}, OnnxJavaType.UINT8);
                OrtSession.Result result = session.run(Map.of(MmadGraph.FRAMES, input))) {
            var values = ((OnnxTensor) result.get(0)).getFloatBuffer();
            float[] patches = new float[values.remaining()];
            values.get(patches);
            return patches;
        } catch (OrtException e) {
            throw new ScoringException("encoder '" + name + "' failed on a batch of " + frames.size() + ": " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        try {
            session.close();
        } catch (OrtException e) {
            throw new ScoringException("closing encoder '" + name + "' failed: " + e.getMessage(), e);
        }
    }
}

package io.linesight.mmad.encoder;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.onnx.OnnxRuntime;
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
 * A loaded network that takes 8-bit frames {@code [N,3,256,256]} and has no selective scan: an encoder, or one with
 * something behind it. One call at a time; whoever opened the session closes it.
 */
public final class FrameSession implements AutoCloseable {
    private final OrtEnvironment env = OnnxRuntime.environment();
    private final String what;
    private final String input;
    private final List<String> outputs;
    private final OrtSession session;

    private FrameSession(String what, String input, List<String> outputs, OrtSession session) {
        this.what = what;
        this.input = input;
        this.outputs = outputs;
        this.session = session;
    }

    /**
     * Loads a network on the device that the options name; their scan mode does not matter.
     *
     * @param what for messages, such as {@code encoder 'resnet34'}
     * @param input name of its uint8 input
     * @param outputs names of its float outputs
     * @throws io.linesight.mmad.runtime.ModelLoadException when the device is not there
     * @throws ScoringException when the runtime rejects the network
     */
    public static FrameSession open(
            String what, ModelProto model, String input, List<String> outputs, ScorerOptions options) {
        byte[] bytes = model.toByteArray();
        try {
            // Without a scan the operator need not be set up.
            DeviceChooser.Opened opened = DeviceChooser.open(
                    what, options.withScan(ScanMode.FUNCTION), (env, o) -> env.createSession(bytes, o));
            return new FrameSession(what, input, List.copyOf(outputs), opened.session());
        } catch (OrtException e) {
            throw new ScoringException(what + " cannot be loaded: " + e.getMessage(), e);
        }
    }

    /**
     * Runs a batch.
     *
     * @param planarRgbFrames planar RGB, 8 bit, each {@code 3*256*256} bytes; 1 or more
     * @return an array per output, row-major, the frame as first axis
     * @throws ScoringException when the runtime fails; the session stays usable
     */
    public float[][] run(List<byte[]> planarRgbFrames) {
        int n = planarRgbFrames.size();
        int side = MmadConfig.INPUT_SIZE;
        int frameBytes = 3 * side * side;
        if (n == 0) throw new IllegalArgumentException("no frames");
        ByteBuffer buffer = ByteBuffer.allocateDirect(n * frameBytes).order(ByteOrder.nativeOrder());
        for (byte[] frame : planarRgbFrames) {
            if (frame.length != frameBytes)
                throw new IllegalArgumentException(
                        "a frame must be " + frameBytes + " bytes (planar RGB 256x256), got " + frame.length);
            buffer.put(frame);
        }
        buffer.flip();
        try (OnnxTensor tensor =
                        OnnxTensor.createTensor(env, buffer, new long[] {n, 3, side, side}, OnnxJavaType.UINT8);
                OrtSession.Result result = session.run(Map.of(input, tensor), new LinkedHashSet<>(outputs))) {
            float[][] arrays = new float[outputs.size()][];
            for (int i = 0; i < arrays.length; i++) {
                var values = ((OnnxTensor) result.get(i)).getFloatBuffer();
                arrays[i] = new float[values.remaining()];
                values.get(arrays[i]);
            }
            return arrays;
        } catch (OrtException e) {
            throw new ScoringException(what + " failed on a batch of " + n + ": " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        try {
            session.close();
        } catch (OrtException e) {
            throw new ScoringException("closing " + what + " failed: " + e.getMessage(), e);
        }
    }
}

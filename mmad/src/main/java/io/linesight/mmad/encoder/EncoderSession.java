package io.linesight.mmad.encoder;

import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.onnx.OnnxGraph;
import io.linesight.mmad.onnx.OnnxGraph.Type;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.mmad.runtime.ScoringException;
import java.util.List;

/** A loaded encoder: frames in, feature maps out. One call at a time; whoever opened the session closes it. */
public final class EncoderSession implements AutoCloseable {
    private static final String FRAMES = "frames";
    private static final String PREFIX = "encoder.";

    private final Encoder encoder;
    private final FrameSession session;

    private EncoderSession(Encoder encoder, FrameSession session) {
        this.encoder = encoder;
        this.session = session;
    }

    /**
     * Loads the encoder on the device that the options name; their scan mode does not matter.
     *
     * @throws io.linesight.mmad.runtime.ModelLoadException when the device is not there
     * @throws ScoringException when the runtime rejects the encoder
     */
    public static EncoderSession open(Encoder encoder, ScorerOptions options) {
        OnnxGraph graph = OnnxGraph.graph("features").scope("frames");
        int side = MmadConfig.INPUT_SIZE;
        graph.input(FRAMES, Type.UINT8, "N", 3, side, side);
        List<String> outputs = encoder.mergeInto(graph, PREFIX, Encoder.scaleFrames(graph, FRAMES));
        for (int i = 0; i < 3; i++)
            graph.output(outputs.get(i), Type.FLOAT, "N", encoder.channels().get(i), side >> (2 + i), side >> (2 + i));
        return new EncoderSession(
                encoder,
                FrameSession.open("encoder '" + encoder.name() + "'", encoder.model(graph), FRAMES, outputs, options));
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
        return session.run(planarRgbFrames);
    }

    @Override
    public void close() {
        session.close();
    }
}

package io.linesight.trainer.distill;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.onnx.OnnxGraph;
import io.linesight.mmad.onnx.OnnxGraph.Type;
import io.linesight.mmad.onnx.OnnxRuntime;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;

/**
 * A teacher's network for images of any size, as it is or with its part of the projection to the target space behind
 * each output. One call at a time; whoever opened it closes it.
 */
final class Teacher implements AutoCloseable {
    private final OrtEnvironment env = OnnxRuntime.environment();
    private final String name;
    private final OrtSession session;
    private final List<String> outputs;

    private Teacher(String name, OrtSession session, List<String> outputs) {
        this.name = name;
        this.session = session;
        this.outputs = outputs;
    }

    /** The bare network. @param threads of the runtime */
    static Teacher open(Encoder encoder, int threads) {
        return open(encoder, threads, List.of(), new int[3], true, false);
    }

    /**
     * The network with its part of the projection behind it: the teachers' answers add up to the target.
     *
     * @param spaces of the three strides
     * @param from at each stride, the teacher's first channel among all teachers'
     * @param first whether this teacher adds the constant part
     */
    static Teacher open(Encoder encoder, int threads, List<TargetSpace> spaces, int[] from, boolean first) {
        return open(encoder, threads, spaces, from, first, true);
    }

    private static Teacher open(
            Encoder encoder, int threads, List<TargetSpace> spaces, int[] from, boolean first, boolean projected) {
        OnnxGraph graph = OnnxGraph.graph("teacher").scope("targets");
        graph.input("image", Type.FLOAT, "N", 3, "H", "W");
        List<String> outputs = new ArrayList<>(encoder.mergeInto(graph, "teacher.", "image"));
        for (int s = 0; s < 3; s++) {
            int channels = encoder.channels().get(s);
            if (projected) {
                TargetSpace space = spaces.get(s);
                int k = space.components();
                float[] w = new float[k * channels];
                float[] bias = new float[k];
                for (int i = 0; i < k; i++) {
                    for (int c = 0; c < channels; c++)
                        w[i * channels + c] = (float) space.projection()[i * space.channels() + from[s] + c];
                    double b = 0;
                    for (int c = 0; c < space.channels(); c++)
                        b -= space.projection()[i * space.channels() + c] * space.mean()[c];
                    bias[i] = first ? (float) b : 0;
                }
                outputs.set(
                        s,
                        graph.op("Conv", outputs.get(s), graph.floats(w, k, channels, 1, 1), graph.floats(bias, k))
                                .attrs("kernel_shape", 1, 1)
                                .out("target" + s));
                channels = k;
            }
            graph.output(outputs.get(s), Type.FLOAT, "N", channels, "H" + s, "W" + s);
        }
        try (OrtSession.SessionOptions options = OnnxRuntime.sessionOptions()) {
            options.setIntraOpNumThreads(threads);
            // Spinning workers would take the cores that the student learns on.
            options.addConfigEntry("session.intra_op.allow_spinning", "0");
            return new Teacher(
                    encoder.name(),
                    OnnxRuntime.environment().createSession(encoder.model(graph).toByteArray(), options),
                    List.copyOf(outputs));
        } catch (OrtException e) {
            throw new IllegalStateException("teacher '" + encoder.name() + "' cannot be loaded: " + e.getMessage(), e);
        }
    }

    /**
     * Answers at the three strides, each {@code [n, channels, side/stride, side/stride]}.
     *
     * @param images {@code [n,3,side,side]} in [0,1]
     */
    float[][] answer(float[] images, int n, int side) {
        try (OnnxTensor input = OnnxTensor.createTensor(env, FloatBuffer.wrap(images), new long[] {n, 3, side, side});
                OrtSession.Result result = session.run(Map.of("image", input), new LinkedHashSet<>(outputs))) {
            float[][] answers = new float[3][];
            for (int s = 0; s < 3; s++) {
                OnnxTensor t = (OnnxTensor) result.get(outputs.get(s)).orElseThrow();
                long[] shape = t.getInfo().getShape();
                if (shape[2] != side >> (2 + s) || shape[3] != side >> (2 + s)) {
                    throw new IllegalStateException(
                            "teacher '" + name + "' gives " + shape[2] + "x" + shape[3] + " cells for a crop of " + side
                                    + " pixels at stride " + (4 << s) + ": choose another --crop");
                }
                FloatBuffer values = t.getFloatBuffer();
                answers[s] = new float[values.remaining()];
                values.get(answers[s]);
            }
            return answers;
        } catch (OrtException e) {
            throw new IllegalStateException(
                    "teacher '" + name + "' failed on a batch of " + n + ": " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        try {
            session.close();
        } catch (OrtException e) {
            throw new IllegalStateException("closing teacher '" + name + "' failed: " + e.getMessage(), e);
        }
    }
}

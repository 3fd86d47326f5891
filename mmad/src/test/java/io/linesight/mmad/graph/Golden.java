package io.linesight.mmad.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.linesight.mmad.architecture.Tensor;
import io.linesight.mmad.architecture.Weights;
import io.linesight.mmad.golden.GoldenSet;
import io.linesight.mmad.io.NpyArray;
import io.linesight.mmad.onnx.OnnxRuntime;
import io.linesight.mmad.scan.SelectiveScanOperator;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** Reference values made with the public implementation, and how to run a graph against them. */
final class Golden {
    private Golden() {}

    /** Tensors w.* of a set, renamed to start with the given prefix. */
    static Weights weights(GoldenSet golden, String prefix) throws IOException {
        Weights w = new Weights();
        for (String name : golden.names()) {
            if (name.startsWith("w.")) w.put(prefix + name.substring(2), tensor(golden, name));
        }
        return w;
    }

    static Tensor tensor(GoldenSet golden, String name) throws IOException {
        NpyArray array = golden.get(name);
        return new Tensor(array.floats(), array.shape());
    }

    /** How the scan is computed. */
    enum Scan {
        FUNCTION,
        OPERATOR
    }

    /** Runs a model; boolean outputs become 0 and 1. */
    static Map<String, float[]> run(ModelProto model, Map<String, Tensor> inputs, Scan scan) throws OrtException {
        OrtEnvironment env = OnnxRuntime.environment();
        Map<String, OnnxTensor> tensors = new LinkedHashMap<>();
        Map<String, float[]> outputs = new LinkedHashMap<>();
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            if (scan == Scan.OPERATOR)
                assumeThat(SelectiveScanOperator.register(options))
                        .as("the Java operator works here")
                        .isTrue();
            long before = SelectiveScanOperator.invocations();
            for (var e : inputs.entrySet()) {
                long[] shape =
                        Arrays.stream(e.getValue().shape()).asLongStream().toArray();
                tensors.put(
                        e.getKey(),
                        OnnxTensor.createTensor(
                                env, FloatBuffer.wrap(e.getValue().data()), shape));
            }
            try (OrtSession session = env.createSession(model.toByteArray(), options);
                    OrtSession.Result result = session.run(tensors)) {
                for (var e : result) {
                    OnnxTensor t = (OnnxTensor) e.getValue();
                    float[] values;
                    if (t.getInfo().type == ai.onnxruntime.OnnxJavaType.BOOL) {
                        var bytes = t.getByteBuffer();
                        values = new float[bytes.remaining()];
                        for (int i = 0; i < values.length; i++) values[i] = bytes.get(i);
                    } else {
                        FloatBuffer b = t.getFloatBuffer();
                        values = new float[b.remaining()];
                        b.get(values);
                    }
                    outputs.put(e.getKey(), values);
                }
            }
            long ran = SelectiveScanOperator.invocations() - before;
            boolean scans = model.getGraph().getNodeList().stream()
                    .anyMatch(n -> n.getOpType().equals(SelectiveScanFunction.NAME));
            if (scans) assertThat(ran > 0).as("scans run by the operator").isEqualTo(scan == Scan.OPERATOR);
        } finally {
            tensors.values().forEach(OnnxTensor::close);
        }
        return outputs;
    }

    /** Largest difference. */
    static double maxDiff(float[] actual, float[] expected) {
        assertThat(actual).hasSameSizeAs(expected);
        double max = 0;
        for (int i = 0; i < expected.length; i++) {
            double d = Math.abs((double) actual[i] - expected[i]);
            if (!(d <= max)) max = d;
        }
        return max;
    }

    static void assertClose(String what, float[] actual, float[] expected, double tolerance) {
        double max = maxDiff(actual, expected);
        System.out.printf("%-28s max diff %.3g (allowed %.3g)%n", what, max, tolerance);
        assertThat(max).as(what).isLessThanOrEqualTo(tolerance);
    }

    /** Compares the beginning of {@code size} values with what the set holds of them. */
    static void assertBeginsClose(String what, float[] actual, int size, float[] expected, double tolerance) {
        assertThat(actual).as(what).hasSize(size);
        assertClose(what, Arrays.copyOf(actual, expected.length), expected, tolerance);
    }

    /** [n, c, pixels] to [n, pixels, c]. */
    static float[] channelsLast(float[] x, int n, int c) {
        int pixels = x.length / n / c;
        float[] out = new float[x.length];
        for (int i = 0; i < n; i++) {
            for (int k = 0; k < c; k++) {
                for (int p = 0; p < pixels; p++) out[(i * pixels + p) * c + k] = x[(i * c + k) * pixels + p];
            }
        }
        return out;
    }

    static float[] asFloats(byte[] mask) {
        float[] out = new float[mask.length];
        for (int i = 0; i < out.length; i++) out[i] = mask[i];
        return out;
    }
}

package io.linesight.mmad.scan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.linesight.mmad.onnx.OnnxRuntime;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

class SelectiveScanOperatorTest {
    private final ScanCase in = ScanCase.random(21, 2, 64, 4, 16, 8, 16);

    private static OrtSession session(boolean function, boolean operator, int threads) throws OrtException {
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            if (operator)
                assertThat(SelectiveScanOperator.register(options, threads)).isTrue();
            return OnnxRuntime.environment().createSession(ScanModel.bytes(function), options);
        }
    }

    @Test
    void shouldComputeTheScanInsideARuntimeSession() throws OrtException {
        try (OrtSession session = session(false, true, 0)) {
            float[] y = ScanModel.run(session, in);

            double[] expected = ScanReference.run(in);
            for (int i = 0; i < y.length; i++)
                assertThat((double) y[i]).isCloseTo(expected[i], org.assertj.core.data.Offset.offset(5e-5));
            assertThat(y).isEqualTo(in.kernel(1));
        }
    }

    /** The ONNX text lets a model-local function win; checkpoints rely on ONNX Runtime doing it the other way round. */
    @Test
    void shouldBePreferredToTheModelsOwnFunction() throws OrtException {
        long before = SelectiveScanOperator.invocations();
        try (OrtSession session = session(true, true, 0)) {
            assertThat(ScanModel.run(session, in)).isEqualTo(in.kernel(1));
        }
        assertThat(SelectiveScanOperator.invocations()).isEqualTo(before + 1);
    }

    @Test
    void shouldLeaveUnregisteredSessionsToTheModelsFunction() throws OrtException {
        long before = SelectiveScanOperator.invocations();
        try (OrtSession session = session(true, false, 0)) {
            float[] y = ScanModel.run(session, in);

            for (int i = 0; i < y.length; i++) assertThat(y[i]).isEqualTo(-in.x()[i]);
        }
        assertThat(SelectiveScanOperator.invocations()).isEqualTo(before);
    }

    @Test
    void shouldReportFailureAsExceptionAndContinue() throws OrtException {
        try (OrtSession session = session(true, true, 0)) {
            ScanCase broken = ScanCase.random(21, 2, 64, 4, 16, 8, 16);
            broken.order()[3] = -1;

            assertThatThrownBy(() -> ScanModel.run(session, broken))
                    .isInstanceOf(OrtException.class)
                    .hasMessageContaining("linesight::SelectiveScan2D")
                    .hasMessageContaining("order names pixel -1");
            assertThat(ScanModel.run(session, in)).isEqualTo(in.kernel(1));
        }
    }

    @Test
    void shouldNameTheInputWhoseShapeIsWrong() throws OrtException {
        try (OrtSession session = session(true, true, 0)) {
            ScanCase broken = new ScanCase(
                    in.shape(), in.x(), in.dt(), in.b(), in.c(), in.a(), new float[63], in.bias(), in.order());

            assertThatThrownBy(() -> ScanModel.run(session, broken))
                    .isInstanceOf(OrtException.class)
                    .hasMessageContaining("Dskip must be [64], got [63]");
        }
    }

    @Test
    void shouldAcceptAnEmptyBatch() throws OrtException {
        ScanCase none = new ScanCase(
                new ScanShape(0, 64, 4, 16, 8, 16),
                new float[0],
                new float[0],
                new float[0],
                new float[0],
                in.a(),
                in.skip(),
                in.bias(),
                in.order());
        try (OrtSession session = session(true, true, 0)) {
            assertThat(ScanModel.run(session, none)).isEmpty();
        }
    }

    @Test
    void shouldServeConcurrentSessionsAndRunsWithEqualResults() throws Exception {
        float[] expected = in.kernel(1);
        ExecutorService callers = Executors.newFixedThreadPool(6);
        try (OrtSession one = session(true, true, 1);
                OrtSession two = session(false, true, 2);
                OrtSession all = session(true, true, 0)) {
            List<Future<float[]>> results = new ArrayList<>();
            for (int i = 0; i < 90; i++) {
                OrtSession session = i % 3 == 0 ? one : i % 3 == 1 ? two : all;
                results.add(callers.submit(() -> ScanModel.run(session, in)));
            }
            for (Future<float[]> result : results) assertThat(result.get()).isEqualTo(expected);
        } finally {
            callers.shutdownNow();
        }
    }

    @Test
    void shouldSurviveGarbageCollectionBetweenRuns() throws OrtException {
        try (OrtSession session = session(false, true, 0)) {
            float[] expected = in.kernel(1);
            for (int i = 0; i < 5; i++) {
                System.gc();
                assertThat(ScanModel.run(session, in)).isEqualTo(expected);
            }
        }
    }

    @Test
    void shouldWarmUpOnlyOnce() {
        ScanWarmup.run();
        assertThat(ScanWarmup.run()).as("a second warm-up").isFalse();
    }
}

package io.linesight.mmad.score;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import io.linesight.mmad.runtime.DeviceChooser;
import io.linesight.mmad.runtime.ModelLoadException;
import io.linesight.mmad.runtime.ScorerOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OrtScorerTest {
    private static final ScorerOptions CPU =
            ScorerOptions.defaults().withDevice("cpu").withThreads(1);

    @TempDir
    private Path folder;

    private Path path;

    @BeforeEach
    void name() {
        path = folder.resolve("model.onnx");
    }

    /** Grey frame with one brighter pixel. */
    private static byte[] frame(int grey, int pixel, int peak) {
        byte[] frame = new byte[3 * 256 * 256];
        Arrays.fill(frame, (byte) grey);
        for (int c = 0; c < 3; c++) frame[c * 65536 + pixel] = (byte) peak;
        return frame;
    }

    @Test
    void shouldServeAForeignModel() throws IOException {
        try (OrtScorer scorer = OrtScorer.open(new ToyModel().write(path), CPU)) {
            Scores scores = scorer.score(List.of(frame(10, 5, 250), frame(200, 9, 201)));

            assertThat(scores.count()).isEqualTo(2);
            assertThat(scores.size()).isEqualTo(256);
            assertThat(scores.raw()).containsExactly(250f, 201f);
            assertThat(scores.map(0)[5]).isEqualTo(250f);
            assertThat(scores.map(0)[6]).isEqualTo(10f);
            assertThat(scores.map(1)[9]).isEqualTo(201f);
            assertThat(scorer.device()).isEqualTo("cpu");
            assertThat(scorer.info().sha256()).hasSize(64);
            assertThat(scorer.info().calibration().fallback().threshold()).isEqualTo(0.5);
        }
    }

    @Test
    void shouldRejectModelWhoseWeightsLieInAnotherFile() throws IOException {
        ModelProto whole = ModelProto.parseFrom(Files.readAllBytes(new ToyModel().write(path)));
        TensorProto elsewhere = TensorProto.newBuilder()
                .setName("weights")
                .setDataType(TensorProto.DataType.FLOAT_VALUE)
                .addDims(1)
                .setDataLocation(TensorProto.DataLocation.EXTERNAL)
                .addExternalData(
                        StringStringEntryProto.newBuilder().setKey("location").setValue("model.onnx.data"))
                .build();
        Files.write(
                path,
                whole.toBuilder()
                        .setGraph(whole.getGraph().toBuilder().addInitializer(elsewhere))
                        .build()
                        .toByteArray());

        assertThatThrownBy(() -> OrtScorer.open(path, CPU))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining("weights lie in other files")
                .hasMessageContaining("export it as one file");
    }

    @Test
    void shouldScaleFramesForFloatModels() throws IOException {
        try (OrtScorer scorer =
                OrtScorer.open(new ToyModel().input(ToyModel.FLOAT).write(path), CPU)) {
            assertThat(scorer.score(List.of(frame(51, 0, 255))).map(0)).startsWith(1f, 0.2f);
            assertThat(scorer.score(List.of(frame(0, 0, 0), frame(102, 0, 0))).raw()[1])
                    .isCloseTo(0.4f, offset(1e-6f));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {ToyModel.UINT8, ToyModel.FLOAT})
    void shouldCutBatchesForModelsOfFixedBatch(int type) throws IOException {
        float unit = type == ToyModel.FLOAT ? 1 / 255f : 1;
        try (OrtScorer scorer =
                OrtScorer.open(new ToyModel().input(type).batch(2).write(path), CPU)) {
            Scores five = scorer.score(
                    List.of(frame(1, 0, 1), frame(2, 0, 2), frame(3, 0, 3), frame(4, 0, 4), frame(5, 7, 90)));

            float[] expected = {1, 2, 3, 4, 90};
            for (int i = 0; i < 5; i++) assertThat(five.raw()[i]).isCloseTo(expected[i] * unit, offset(1e-6f));
            assertThat(five.map(4)[7]).isCloseTo(90 * unit, offset(1e-6f));
            assertThat(five.map(4)[8]).isCloseTo(5 * unit, offset(1e-6f));
        }
    }

    @Test
    void shouldKeepResultsWhenTheInputBufferIsReused() throws IOException {
        try (OrtScorer scorer = OrtScorer.open(new ToyModel().write(path), CPU)) {
            Scores first = scorer.score(List.of(frame(10, 5, 250)));
            scorer.score(List.of(frame(1, 1, 1), frame(2, 2, 2), frame(3, 3, 3)));
            Scores last = scorer.score(List.of(frame(77, 5, 78)));

            assertThat(first.raw()).containsExactly(250f);
            assertThat(last.raw()).containsExactly(78f);
            assertThat(last.maps()).hasSize(65536);
        }
    }

    @Test
    void shouldPassNanOn() throws IOException {
        try (OrtScorer scorer = OrtScorer.open(new ToyModel().squareRoot().write(path), CPU)) {
            Scores scores = scorer.score(List.of(frame(0, 5, 0), frame(5, 5, 17)));

            assertThat(scores.map(0)[5]).isNaN();
            assertThat(scores.raw()[1]).isEqualTo(4f);
            assertThat(scores.map(1)[0]).isEqualTo(2f);
        }
    }

    @Test
    void shouldRejectFramesOfAnotherSize() throws IOException {
        try (OrtScorer scorer = OrtScorer.open(new ToyModel().write(path), CPU)) {
            assertThatThrownBy(() -> scorer.score(List.of(new byte[100])))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("196608 bytes");
            assertThatThrownBy(() -> scorer.score(List.of())).isInstanceOf(IllegalArgumentException.class);
            assertThat(scorer.score(List.of(frame(3, 0, 3))).raw()).containsExactly(3f);
        }
    }

    @Test
    void shouldRejectFramesAfterClosing() throws IOException {
        OrtScorer scorer = OrtScorer.open(new ToyModel().write(path), CPU);
        scorer.close();
        scorer.close();

        assertThatThrownBy(() -> scorer.score(List.of(frame(0, 0, 0))))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
    }

    @Test
    void shouldSayWhatIsWrongWithACheckpoint() throws IOException {
        assertThatThrownBy(() -> OrtScorer.open(path, CPU))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining("there is no checkpoint");
        assertThatThrownBy(() -> OrtScorer.open(folder, CPU))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining("folder");

        Files.writeString(path, "this is not a model");
        assertThatThrownBy(() -> OrtScorer.open(path, CPU))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining("not a complete ONNX file");

        byte[] whole = new ToyModel().bytes();
        Files.write(path, Arrays.copyOf(whole, whole.length - 60));
        assertThatThrownBy(() -> OrtScorer.open(path, CPU))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining(path.toString());

        Files.write(path, new byte[0]);
        assertThatThrownBy(() -> OrtScorer.open(path, CPU))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining(path.toString());

        new ToyModel().side(224).write(path);
        assertThatThrownBy(() -> OrtScorer.open(path, CPU))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining("[-1, 3, 224, 224]");

        new ToyModel().mapName("heat").write(path);
        assertThatThrownBy(() -> OrtScorer.open(path, CPU))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining("no output 'anomaly_map'")
                .hasMessageContaining("heat");

        new ToyModel().input(6).write(path);
        assertThatThrownBy(() -> OrtScorer.open(path, CPU))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining("uint8 or float32");
    }

    @Test
    void shouldRejectADeviceThatIsNotThere() throws IOException {
        org.junit.jupiter.api.Assumptions.assumeFalse(DeviceChooser.builtWithCuda(), "built with CUDA");
        new ToyModel().write(path);

        assertThatThrownBy(() -> OrtScorer.open(path, CPU.withDevice("cuda:1")))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining("cuda:1")
                .hasMessageContaining("profile 'cuda'");
        try (OrtScorer scorer = OrtScorer.open(path, CPU.withDevice("auto"))) {
            assertThat(scorer.device()).isEqualTo("cpu");
        }
    }

    @Test
    void shouldReadDeviceNames() {
        assertThat(CPU.withDevice(" CUDA ").device()).isEqualTo("cuda:0");
        assertThat(CPU.withDevice("cuda:3").device()).isEqualTo("cuda:3");
        assertThat(CPU.withDevice("Auto").device()).isEqualTo("auto");
        for (String wrong : List.of("gpu", "cuda:", "cuda:-1", "cuda:x", "")) {
            assertThatThrownBy(() -> CPU.withDevice(wrong))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("choose auto, cpu, cuda or cuda:N");
        }
    }
}

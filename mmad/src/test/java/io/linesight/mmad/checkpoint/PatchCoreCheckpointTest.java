package io.linesight.mmad.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.linesight.mmad.architecture.PatchBank;
import io.linesight.mmad.architecture.Tensor;
import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.encoder.TinyEncoder;
import io.linesight.mmad.graph.PatchCoreGraph;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PatchCoreCheckpointTest {
    private static final Calibration CALIBRATION =
            new Calibration(new ProductCalibration(3, 0.5), Map.of("bolt", new ProductCalibration(2, 0.25)));

    @TempDir
    static Path dir;

    private static Encoder encoder;
    private static Path file;
    private static CheckpointInfo written;

    @BeforeAll
    static void write() throws IOException {
        encoder = TinyEncoder.create(List.of(8, 32, 24), 17);
        float[] vectors = new float[20 * 56];
        Random random = new Random(1);
        for (int i = 0; i < vectors.length; i++) vectors[i] = (float) random.nextGaussian();
        file = dir.resolve("model.onnx");
        written = Checkpoints.write(
                file,
                new PatchCoreModel(
                        new PatchBank(new Tensor(vectors, 20, 56), new Tensor(new float[56], 56)),
                        PatchCoreGraph.Score.MEAN_OF_LARGEST,
                        encoder),
                CALIBRATION,
                Map.of("bank", "20"));
    }

    @Test
    void shouldTellItsMetadata() throws IOException {
        CheckpointInfo info = Checkpoint.read(file).info();
        assertThat(info).isEqualTo(written);
        assertThat(info.version()).matches("\\d{8}-\\d{6}-[0-9a-f]{8}");
        assertThat(info.calibration()).isEqualTo(CALIBRATION);
        assertThat(info.properties())
                .containsEntry("linesight.method", "patchcore")
                .containsEntry("linesight.provenance.bank", "20")
                .containsEntry("linesight.encoder.sha256", encoder.sha256())
                .doesNotContainKey(Checkpoints.CONFIG);
        assertThat(Checkpoints.trainable(info)).isFalse();
    }

    @Test
    void shouldSayThatItCannotBeTrainedFurther() {
        String why = "was made by patchcore; it cannot be trained further as MMAD";
        assertThatThrownBy(() -> Checkpoint.read(file).config())
                .isInstanceOf(IOException.class)
                .hasMessageContaining("model.onnx")
                .hasMessageContaining(why);
        assertThatThrownBy(() -> Checkpoint.read(file).weights())
                .isInstanceOf(IOException.class)
                .hasMessageContaining(why);
        assertThatThrownBy(() -> Checkpoint.read(file).encoder())
                .isInstanceOf(IOException.class)
                .hasMessageContaining(why);
    }

    @Test
    void shouldRecalibrateUnderANewVersion() throws IOException {
        Path copy = dir.resolve("recalibrated.onnx");
        Calibration other = new Calibration(new ProductCalibration(9, 1), Map.of());
        CheckpointInfo info = Checkpoints.withCalibration(Checkpoint.read(file), copy, other);
        assertThat(info.calibration()).isEqualTo(other);
        assertThat(info.version()).isNotEqualTo(written.version());
        assertThat(info.properties()).containsEntry("linesight.method", "patchcore");
        assertThat(Checkpoints.withCalibration(Checkpoint.read(copy), copy, CALIBRATION)
                        .calibration())
                .isEqualTo(CALIBRATION);
    }

    @Test
    void shouldNoticeTruncationWhereverItHappens() throws IOException {
        byte[] whole = Files.readAllBytes(file);
        for (int less = 1; less < 6000; less += 7) {
            Path cut = Files.write(dir.resolve("cut.onnx"), Arrays.copyOf(whole, whole.length - less));
            assertThatThrownBy(() -> Checkpoints.withCalibration(Checkpoint.read(cut), cut, CALIBRATION))
                    .as("less " + less + " bytes")
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("cut.onnx");
        }
    }
}

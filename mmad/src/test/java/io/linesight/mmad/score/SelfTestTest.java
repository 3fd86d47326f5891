package io.linesight.mmad.score;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.linesight.mmad.checkpoint.Calibration;
import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.mmad.runtime.ModelLoadException;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.mmad.runtime.ScoringException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SelfTestTest {

    private static final long CRC = 2_721_634_878L;

    /**
     * The raw score is the mean of a frame over 255, changed by {@code change} from call to call and place to place.
     */
    private static class Mean implements Scorer {
        private final Map<String, String> properties;
        int calls;

        Mean(Map<String, String> properties) {
            this.properties = properties;
        }

        float change(int at) {
            return 0;
        }

        @Override
        public CheckpointInfo info() {
            return new CheckpointInfo(
                    "m", "00", new Calibration(new ProductCalibration(0.5, 0.1), Map.of()), properties);
        }

        @Override
        public String device() {
            return "cpu";
        }

        @Override
        public Scores score(List<byte[]> frames) {
            calls++;
            float[] raw = new float[frames.size()];
            float[] maps = new float[frames.size() * 65536];
            for (int i = 0; i < raw.length; i++) {
                long sum = 0;
                for (byte b : frames.get(i)) sum += b & 0xff;
                raw[i] = sum / 255f / frames.get(i).length + change(i);
                maps[i * 65536 + 9] = raw[i];
            }
            return new Scores(raw.length, 256, raw, maps);
        }

        @Override
        public void close() {}
    }

    @Test
    void shouldMakeTheSameImagesEverywhere() {
        CRC32 crc = new CRC32();
        for (byte[] frame : SelfTest.frames()) {
            assertThat(frame).hasSize(3 * 65536);
            crc.update(frame);
        }
        assertThat(crc.getValue())
                .as("changing the images needs a new edition: expectations in files would be of others")
                .isEqualTo(CRC);
    }

    @Test
    void shouldPassASoundModel(@TempDir Path folder) throws IOException {
        assertThatCode(() -> SelfTest.check(new Mean(Map.of()))).doesNotThrowAnyException();
        try (OrtScorer scorer = OrtScorer.open(
                new ToyModel().write(folder.resolve("m.onnx")),
                ScorerOptions.defaults().withDevice("cpu").withThreads(1))) {
            SelfTest.check(scorer);
        }
    }

    @Test
    void shouldAllowForRoundingInABatchButNotForALeakNorForChance() {
        assertThatCode(() -> SelfTest.check(shiftedInBatch(5e-4f))).doesNotThrowAnyException();
        assertThatThrownBy(() -> SelfTest.check(shiftedInBatch(5e-3f))).hasMessageContaining("alone and in a batch");
        assertThatThrownBy(() -> SelfTest.check(new Mean(Map.of()) {
                    @Override
                    float change(int at) {
                        return calls % 2 * 5e-4f;
                    }
                }))
                .hasMessageContaining("scored twice");
    }

    private static Scorer shiftedInBatch(float shift) {
        return new Mean(Map.of()) {
            @Override
            float change(int at) {
                return at == 0 ? 0 : shift;
            }
        };
    }

    @Test
    void shouldCompareWithWhatTheMakerSaw() {
        String expected = SelfTest.expected(new Mean(Map.of()));
        assertThatCode(() -> SelfTest.check(new Mean(Map.of(SelfTest.PROPERTY, expected))))
                .doesNotThrowAnyException();
        Scorer drifted = new Mean(Map.of(SelfTest.PROPERTY, expected)) {
            @Override
            float change(int at) {
                return 0.1f;
            }
        };
        assertThatThrownBy(() -> SelfTest.check(drifted))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining("score its maker saw");
        assertThatThrownBy(() -> SelfTest.check(new Mean(Map.of(SelfTest.PROPERTY, "{"))))
                .hasMessageContaining("cannot be read");
        assertThatThrownBy(() -> SelfTest.check(new Mean(Map.of(SelfTest.PROPERTY, "{\"raw\":[1]}"))))
                .hasMessageContaining("not an expectation of 4 scores");
        assertThatCode(() -> SelfTest.check(new Mean(Map.of(SelfTest.PROPERTY, "{\"frames\":2,\"raw\":[1]}"))))
                .doesNotThrowAnyException();
    }

    @Test
    void shouldRejectWhatDependsOnTheCallOrTheBatch() {
        Scorer call = new Mean(Map.of()) {
            @Override
            float change(int at) {
                return calls * 0.001f;
            }
        };
        Scorer place = new Mean(Map.of()) {
            @Override
            float change(int at) {
                return at * 0.001f;
            }
        };
        assertThatThrownBy(() -> SelfTest.check(call)).hasMessageContaining("scored twice");
        assertThatThrownBy(() -> SelfTest.check(place)).hasMessageContaining("alone and in a batch");
    }

    @Test
    void shouldRejectNanWrongShapesAndFailures() {
        Scorer nan = new Mean(Map.of()) {
            @Override
            float change(int at) {
                return Float.NaN;
            }
        };
        Scorer shape = new Mean(Map.of()) {
            @Override
            public Scores score(List<byte[]> frames) {
                return new Scores(frames.size(), 8, new float[frames.size()], new float[64 * frames.size()]);
            }
        };
        Scorer fails = new Mean(Map.of()) {
            @Override
            public Scores score(List<byte[]> frames) {
                throw new ScoringException("no memory", null);
            }
        };
        assertThatThrownBy(() -> SelfTest.check(nan))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining("NaN");
        assertThatThrownBy(() -> SelfTest.check(shape)).hasMessageContaining("maps are 256x256");
        assertThatThrownBy(() -> SelfTest.check(fails))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining("cannot score: no memory");
    }
}

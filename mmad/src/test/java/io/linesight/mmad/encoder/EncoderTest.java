package io.linesight.mmad.encoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.linesight.mmad.io.SharedFiles;
import io.linesight.mmad.runtime.ScorerOptions;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class EncoderTest {
    private static final List<Integer> CHANNELS = List.of(8, 16, 24);

    @Test
    void shouldLearnChannelsAndBeTheSameAfterEveryReading() {
        Encoder encoder = TinyEncoder.create(CHANNELS, 17);
        assertThat(encoder.channels()).isEqualTo(CHANNELS);
        assertThat(encoder.opset()).isEqualTo(20);
        Encoder again = Encoder.of(encoder.onnx(), "other");
        assertThat(again.sha256()).isEqualTo(encoder.sha256());
        assertThat(TinyEncoder.create(CHANNELS, 22).opset()).isEqualTo(22);
    }

    @Test
    void shouldComputeFeaturesOfABatch() {
        Encoder old = TinyEncoder.create(CHANNELS, 15);
        Encoder current = TinyEncoder.create(CHANNELS, 20);
        byte[] a = new byte[3 * 256 * 256];
        byte[] b = new byte[3 * 256 * 256];
        new Random(1).nextBytes(a);
        new Random(2).nextBytes(b);
        ScorerOptions options = ScorerOptions.defaults().withThreads(1);
        try (EncoderSession first = EncoderSession.open(old, options);
                EncoderSession second = EncoderSession.open(current, options)) {
            float[][] both = first.features(List.of(a, b));
            assertThat(both[0]).hasSize(2 * 8 * 64 * 64);
            assertThat(both[1]).hasSize(2 * 16 * 32 * 32);
            assertThat(both[2]).hasSize(2 * 24 * 16 * 16);
            float[][] alone = second.features(List.of(b));
            for (int i = 0; i < 3; i++) {
                int half = both[i].length / 2;
                double sum = 0;
                for (int j = 0; j < half; j++) {
                    assertThat(alone[i][j]).isCloseTo(both[i][half + j], org.assertj.core.data.Offset.offset(1e-5f));
                    sum += alone[i][j];
                }
                assertThat(sum).isPositive();
            }
            assertThatThrownBy(() -> first.features(List.of(new byte[5])))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("196608");
        }
    }

    @Test
    void shouldSayWhyAFileIsNoEncoder() {
        assertThatThrownBy(() -> Encoder.load(Path.of("nowhere.onnx"))).isInstanceOf(NoSuchFileException.class);
        assertThatThrownBy(() -> Encoder.of(new byte[] {1, 2, 3}, "x"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("not an ONNX file");
        assertThatThrownBy(() -> Encoder.of(TinyEncoder.bytes(CHANNELS, 17, 2, "N"), "x"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("strides 4, 8 and 16");
        assertThatThrownBy(() -> Encoder.of(TinyEncoder.bytes(CHANNELS, 12, 4, "N"), "x"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("operator set 12");
        assertThatThrownBy(() -> Encoder.of(TinyEncoder.bytes(CHANNELS, 17, 4, 1), "x"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("dynamic batch");
    }

    @Test
    void shouldReadPublishedEncoders() throws Exception {
        for (String name : List.of("mobilenetv1", "resnet50v2")) {
            Path file = SharedFiles.require("encoders/" + name + ".onnx");
            assertThat(Encoder.load(file).channels())
                    .isEqualTo(name.startsWith("mobile") ? List.of(128, 256, 512) : List.of(256, 512, 1024));
        }
    }
}

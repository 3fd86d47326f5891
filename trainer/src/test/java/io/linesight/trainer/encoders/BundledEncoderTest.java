package io.linesight.trainer.encoders;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.encoder.EncoderSession;
import io.linesight.mmad.io.Sha256;
import io.linesight.mmad.runtime.ScorerOptions;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class BundledEncoderTest {
    @Test
    void shouldBeSmallAndHaveACard() throws Exception {
        Encoder encoder = BundledEncoder.load();
        assertThat(encoder.name()).isEqualTo("linesight-small");
        assertThat(encoder.channels()).containsExactly(64, 128, 256);
        assertThat(encoder.onnx().length).isLessThan(12_000_000);
        try (InputStream in =
                BundledEncoder.class.getResourceAsStream("/io/linesight/trainer/encoder/linesight-small.onnx.md")) {
            String card = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            assertThat(card)
                    .contains(
                            "Licence of these weights",
                            "Teachers",
                            "No evaluation image was used",
                            "Seed",
                            "explained");
            assertThat(card).as("the card is of this very network").contains(encoder.sha256());
        }
    }

    /** What whoever passes the file on, or finds it somewhere, can compare with. */
    @Test
    void shouldShipTheFileThatTheCardNames() throws Exception {
        try (InputStream file =
                        BundledEncoder.class.getResourceAsStream("/io/linesight/trainer/encoder/linesight-small.onnx");
                InputStream card = BundledEncoder.class.getResourceAsStream(
                        "/io/linesight/trainer/encoder/linesight-small.onnx.md")) {
            byte[] bytes = file.readAllBytes();
            String text = new String(card.readAllBytes(), StandardCharsets.UTF_8);
            assertThat(text)
                    .contains("SHA-256 of the file: `" + Sha256.hex(bytes) + "`")
                    .contains(String.format(Locale.ROOT, "%,d bytes", bytes.length));
        }
    }

    @Test
    void shouldTellAScratchFromPlainMetal() throws Exception {
        byte[] plain = metal(false);
        byte[] scratched = metal(true);
        try (EncoderSession session = EncoderSession.open(
                BundledEncoder.load(), ScorerOptions.defaults().withDevice("cpu"))) {
            float[] a = session.features(List.of(plain))[1];
            float[] b = session.features(List.of(scratched))[1];
            double at = distance(a, b, 16 * 32 + 16);
            double away = distance(a, b, 2 * 32 + 29);
            assertThat(away).as("far from the scratch nothing changes").isCloseTo(0, within(1e-3));
            assertThat(at).as("on the scratch").isGreaterThan(0.1);
        }
    }

    private static double distance(float[] a, float[] b, int pixel) {
        double ab = 0;
        double aa = 0;
        double bb = 0;
        for (int c = 0; c < 128; c++) {
            double x = a[c * 1024 + pixel];
            double y = b[c * 1024 + pixel];
            ab += x * y;
            aa += x * x;
            bb += y * y;
        }
        return 1 - ab / Math.sqrt(aa * bb);
    }

    /** Planar RGB, 256x256: brushed metal, with a bright scratch through the middle or without. */
    private static byte[] metal(boolean scratch) {
        SplittableRandom random = new SplittableRandom(5);
        byte[] frame = new byte[3 * 65536];
        for (int y = 0; y < 256; y++) {
            int line = 120 + random.nextInt(20);
            for (int x = 0; x < 256; x++) {
                boolean on = scratch && Math.abs(x - y) < 2 && x > 108 && x < 148;
                for (int c = 0; c < 3; c++) frame[c * 65536 + y * 256 + x] = (byte) (on ? 220 : line);
            }
        }
        return frame;
    }
}

package io.linesight.mmad.encoder;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.mmad.runtime.ScorerOptions;
import java.util.List;
import org.junit.jupiter.api.Test;

class FilterBankEncoderTest {
    private static final int SIDE = 256;

    private static byte[] grey(java.util.function.IntBinaryOperator level) {
        byte[] planar = new byte[3 * SIDE * SIDE];
        for (int c = 0; c < 3; c++) {
            for (int y = 0; y < SIDE; y++) {
                for (int x = 0; x < SIDE; x++) planar[(c * SIDE + y) * SIDE + x] = (byte) level.applyAsInt(x, y);
            }
        }
        return planar;
    }

    private static float at(float[] maps, int side, int channel) {
        return maps[(channel * side + side / 2) * side + side / 2];
    }

    @Test
    void shouldBeTheSameEncoderEveryTime() {
        assertThat(FilterBankEncoder.create().sha256())
                .isEqualTo(FilterBankEncoder.create().sha256());
        assertThat(FilterBankEncoder.create().channels()).containsExactly(36, 72, 144);
    }

    @Test
    void shouldTellStripesByTheirDirection() {
        try (EncoderSession session = EncoderSession.open(FilterBankEncoder.create(), ScorerOptions.defaults())) {
            float[][] upright = session.features(List.of(grey((x, y) -> x % 4 < 2 ? 64 : 192)));
            float[][] lying = session.features(List.of(grey((x, y) -> y % 4 < 2 ? 64 : 192)));

            // Channel 0 is the fine filter across x, channel 4 the one across y.
            assertThat(at(upright[0], 64, 0)).isGreaterThan(3 * at(upright[0], 64, 4));
            assertThat(at(lying[0], 64, 4)).isGreaterThan(3 * at(lying[0], 64, 0));
            assertThat(upright[0]).hasSize(36 * 64 * 64);
            assertThat(upright[1]).hasSize(72 * 32 * 32);
            assertThat(upright[2]).hasSize(144 * 16 * 16);
        }
    }

    @Test
    void shouldSeeNoEdgesOnFlatGroundNotEvenAtTheBorder() {
        try (EncoderSession session = EncoderSession.open(FilterBankEncoder.create(), ScorerOptions.defaults())) {
            float[] flat = session.features(List.of(grey((x, y) -> 128)))[0];
            float floor = (float) Math.pow(1e-5, 0.25);
            for (int c = 0; c < 16; c++) {
                for (int i = 0; i < 64 * 64; i++)
                    assertThat(flat[c * 64 * 64 + i]).isBetween(0.9f * floor, 1.5f * floor);
            }
        }
    }
}

package io.linesight.mmad.architecture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;

class PatchMemoryTest {
    private static final int CHANNELS = 10;
    private static final int SIDE = 5;

    private static float[] features(long seed) {
        Random random = new Random(seed);
        float[] features = new float[PatchMemory.padded(CHANNELS) * SIDE * SIDE];
        for (int i = 0; i < CHANNELS * SIDE * SIDE; i++) features[i] = (float) (3 * random.nextGaussian());
        return features;
    }

    @Test
    void shouldKeepDirectionsAndDropLengths() {
        PatchMemory memory = PatchMemory.create(2, CHANNELS, SIDE);
        float[] given = features(1);
        float[] before = new float[7 + given.length];
        System.arraycopy(given, 0, before, 7, given.length);
        memory.remember(1, before, 7);
        float[] kept = memory.features(1);
        for (int p = 0; p < SIDE * SIDE; p++) {
            double dot = 0;
            double squares = 0;
            double length = 0;
            for (int c = 0; c < 12; c++) {
                int i = c * SIDE * SIDE + p;
                dot += given[i] * kept[i];
                squares += given[i] * given[i];
                length += kept[i] * kept[i];
            }
            assertThat(length).isCloseTo(1, within(1e-5));
            assertThat(1 - dot / Math.sqrt(squares))
                    .as("cosine distance to itself")
                    .isBetween(-1e-6, 1e-4);
        }
        assertThat(memory.features(0)).containsOnly(0f);
    }

    @Test
    void shouldSelectImages() {
        PatchMemory memory = PatchMemory.create(4, CHANNELS, SIDE);
        for (int i = 0; i < 4; i++) memory.remember(i, features(i), 0);
        PatchMemory some = memory.select(new int[] {3, 1});
        assertThat(some.images()).isEqualTo(2);
        assertThat(some.features(0)).isEqualTo(memory.features(3));
        assertThat(some.features(1)).isEqualTo(memory.features(1));
    }

    @Test
    void shouldRejectWhatIsNotANumber() {
        float[] features = features(2);
        features[17] = Float.NaN;
        assertThatThrownBy(() -> PatchMemory.create(1, CHANNELS, SIDE).remember(0, features, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("not a number");
    }

    @Test
    void shouldSayWhenAMemoryIsTooLargeForAnArray() {
        assertThatThrownBy(() -> PatchMemory.create(50_000, 256, 32))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("over 2 GB");
    }
}

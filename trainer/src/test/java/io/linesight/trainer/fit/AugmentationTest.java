package io.linesight.trainer.fit;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.mmad.image.Preprocess;
import io.linesight.trainer.dataset.TextureSource;
import io.linesight.trainer.fit.FitOptions.Change;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class AugmentationTest {
    private static final byte[] FRAME = Preprocess.toModelInput(TextureSource.weave(1, true));

    private static int[] histogram(byte[] frame) {
        int[] h = new int[256];
        for (byte b : frame) h[b & 0xff]++;
        return h;
    }

    @ParameterizedTest
    @EnumSource
    void shouldFollowFromSeedImageAndNumber(Change change) {
        Augmentation a = new Augmentation(List.of(change), 9);
        Set<Integer> seen = new HashSet<>();
        for (int image = 0; image < 4; image++) {
            for (int copy = 1; copy < 4; copy++) {
                byte[] one = a.apply(FRAME, image, copy);
                assertThat(new Augmentation(List.of(change), 9).apply(FRAME, image, copy))
                        .isEqualTo(one);
                seen.add(Arrays.hashCode(one));
            }
        }
        assertThat(seen).hasSizeGreaterThan(2);
        assertThat(a.apply(FRAME, 0, 0)).isSameAs(FRAME);
    }

    @Test
    void shouldMoveEveryPixelOnceWhenFlippedAndTurned() {
        Augmentation a = new Augmentation(EnumSet.of(Change.FLIP, Change.ROTATE90), 4);
        for (int copy = 1; copy < 9; copy++)
            assertThat(histogram(a.apply(FRAME, 0, copy))).isEqualTo(histogram(FRAME));
    }

    @Test
    void shouldTurnAQuarter() {
        byte[] corner = new byte[3 * 65536];
        corner[0] = 1;
        Set<Integer> places = new HashSet<>();
        Augmentation a = new Augmentation(List.of(Change.ROTATE90), 4);
        for (int copy = 1; copy < 16; copy++) {
            byte[] turned = a.apply(corner, 0, copy);
            for (int i = 0; i < 65536; i++) if (turned[i] == 1) places.add(i);
        }
        assertThat(places).containsExactlyInAnyOrder(0, 255, 65280, 65535);
    }

    @Test
    void shouldChangeBrightnessByATenthAtMost() {
        byte[] grey = new byte[3 * 65536];
        Arrays.fill(grey, (byte) 100);
        Augmentation a = new Augmentation(List.of(Change.BRIGHTNESS), 4);
        for (int copy = 1; copy < 16; copy++)
            assertThat(a.apply(grey, 2, copy)[777]).isBetween((byte) 90, (byte) 110);
    }
}

package io.linesight.trainer.distill;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class CropsTest {
    private static final int SIDE = 48;

    private static Crops crops(long seed) {
        return new Crops(Photos.none(), 0.6, SIDE, seed);
    }

    @Test
    void shouldGiveTheSameCropForTheSameSeedAndNumberInWhateverOrder() {
        Crops a = crops(7);
        Crops b = crops(7);
        for (int n = 19; n >= 0; n--) b.train(n);
        for (int n = 0; n < 20; n++) {
            assertThat(a.train(n)).as("crop %d", n).hasSize(3 * SIDE * SIDE).isEqualTo(b.train(n));
            assertThat(a.heldOut(n)).isEqualTo(b.heldOut(n));
        }
    }

    @Test
    void shouldNeverGiveTheSameCropForOtherSeedsNumbersOrPurposes() {
        Set<Integer> seen = new HashSet<>();
        for (long seed : new long[] {7, 8, 9}) {
            Crops crops = crops(seed);
            for (int n = 0; n < 20; n++) {
                seen.add(Arrays.hashCode(crops.train(n)));
                seen.add(Arrays.hashCode(crops.heldOut(n)));
            }
        }
        assertThat(seen).hasSize(3 * 20 * 2);
    }

    @Test
    void shouldPaintEveryFamilyByItsRandomNumbersAlone() {
        for (int family = 0; family < Scenes.families().size(); family++) {
            String name = Scenes.families().get(family);
            float[][] first = Scenes.family(new SplittableRandom(3), family, SIDE).rgb;
            assertThat(Arrays.deepEquals(Scenes.family(new SplittableRandom(3), family, SIDE).rgb, first))
                    .as(name)
                    .isTrue();
            assertThat(Arrays.deepEquals(Scenes.family(new SplittableRandom(4), family, SIDE).rgb, first))
                    .as(name)
                    .isFalse();
            float min = 2;
            float max = -1;
            for (float v : first[1]) {
                assertThat(Float.isFinite(v)).as(name).isTrue();
                min = Math.min(min, v);
                max = Math.max(max, v);
            }
            assertThat(max - min).as("%s shows something", name).isGreaterThan(0.01f);
        }
    }
}

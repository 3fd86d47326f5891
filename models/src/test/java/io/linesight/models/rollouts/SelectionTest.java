package io.linesight.models.rollouts;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.schemas.Rollout;
import io.linesight.schemas.RolloutAction;
import io.linesight.schemas.RolloutMode;
import java.time.Instant;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class SelectionTest {
    private static Rollout rollout(RolloutMode mode, double percent) {
        return Rollout.newBuilder()
                .setChannel("line")
                .setRevision(1)
                .setBasedOn(0)
                .setAction(RolloutAction.UNKNOWN)
                .setMode(mode)
                .setChampion("a")
                .setChallenger("b")
                .setPercent(percent)
                .setBy("x")
                .setAt(Instant.EPOCH)
                .build();
    }

    @Test
    void shouldSelectTheSameCamerasOnEveryJvm() {
        // These values are a contract: a change would move cameras between models in the middle of a canary.
        assertThat(SelectionHash.of("")).isEqualTo(SelectionHash.mix(0xcbf29ce484222325L));
        assertThat(List.of(SelectionHash.of("cam1"), SelectionHash.of("cam2"), SelectionHash.of("Prüfstand 7")))
                .isEqualTo(PINNED);
    }

    /** Computed by a program in another language. */
    private static final List<Long> PINNED = List.of(8495780324085495222L, 5583661747059213861L, 3304425844182075736L);

    @Test
    void shouldSelectNamedCamerasAndProducts() {
        Rollout r = rollout(RolloutMode.CANARY, 0);
        r.setCameras(List.of("cam1"));
        r.setProducts(List.of("board"));
        assertThat(CanarySelector.selects(r, "cam1", null)).isTrue();
        assertThat(CanarySelector.selects(r, "cam2", "board")).isTrue();
        assertThat(CanarySelector.selects(r, "cam2", "flange")).isFalse();
        assertThat(CanarySelector.selects(r, "cam2", null)).isFalse();
        assertThat(CanarySelector.selects(null, "cam1", null)).isFalse();
        assertThat(CanarySelector.selects(rollout(RolloutMode.SHADOW, 100), "cam1", null))
                .isFalse();
        assertThat(CanarySelector.selects(rollout(RolloutMode.ACTIVE, 100), "cam1", null))
                .isFalse();
    }

    @Test
    void shouldSelectAboutThatShareAndOnlyAddWhenItGrows() {
        List<String> cameras =
                IntStream.range(0, 10_000).mapToObj(i -> "line-3/cam-" + i).toList();
        for (double percent : new double[] {0, 1, 10, 50, 99, 100}) {
            long selected = cameras.stream()
                    .filter(c -> CanarySelector.selects(rollout(RolloutMode.CANARY, percent), c, null))
                    .count();
            assertThat(selected / 100.0).isCloseTo(percent, org.assertj.core.data.Offset.offset(1.5));
            assertThat(cameras.stream()
                            .filter(c -> CanarySelector.selects(rollout(RolloutMode.CANARY, percent), c, null))
                            .allMatch(c -> CanarySelector.selects(
                                    rollout(RolloutMode.CANARY, Math.min(100, percent + 5)), c, null)))
                    .isTrue();
        }
        assertThat(cameras.stream().allMatch(c -> CanarySelector.selects(rollout(RolloutMode.CANARY, 100), c, null)))
                .isTrue();
        assertThat(cameras.stream().noneMatch(c -> CanarySelector.selects(rollout(RolloutMode.CANARY, 0), c, null)))
                .isTrue();
    }

    @Test
    void shouldSampleAboutThatShareOfEveryCamera() {
        for (String camera : List.of("cam1", "cam2", "x")) {
            for (double percent : new double[] {0.5, 5, 50, 100}) {
                Rollout r = rollout(RolloutMode.SHADOW, percent);
                long sampled = LongStream.range(0, 20_000)
                        .filter(o -> ShadowSampler.samples(r, camera, o))
                        .count();
                assertThat(sampled / 200.0).isCloseTo(percent, org.assertj.core.data.Offset.offset(1.2));
            }
        }
        assertThat(ShadowSampler.samples(rollout(RolloutMode.SHADOW, 50), "cam1", 7))
                .isEqualTo(ShadowSampler.samples(rollout(RolloutMode.SHADOW, 50), "cam1", 7));
        assertThat(ShadowSampler.samples(rollout(RolloutMode.CANARY, 100), "cam1", 7))
                .isFalse();
        assertThat(ShadowSampler.samples(null, "cam1", 7)).isFalse();
    }
}

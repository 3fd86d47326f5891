package io.linesight.models.rollouts;

import io.linesight.schemas.Rollout;
import io.linesight.schemas.RolloutMode;
import org.jspecify.annotations.Nullable;

/**
 * Which frames both models score in shadow mode. Pure, the same on every JVM, thread-safe; a frame that is processed
 * again after a crash is sampled again or not, as before. The choice is independent of {@link CanarySelector}'s.
 */
public final class ShadowSampler {
    private ShadowSampler() {}

    /**
     * Whether the challenger scores this frame beside the champion.
     *
     * @param rollout what is in force
     * @param offset of the frame in its partition
     */
    public static boolean samples(@Nullable Rollout rollout, String cameraId, long offset) {
        if (rollout == null || rollout.getMode() != RolloutMode.SHADOW || rollout.getChallenger() == null) return false;
        return SelectionHash.percent(SelectionHash.mix(SelectionHash.of(cameraId) + 0x9e3779b97f4a7c15L * (offset + 1)))
                < rollout.getPercent();
    }
}

package io.linesight.models.rollouts;

import io.linesight.schemas.Rollout;
import io.linesight.schemas.RolloutMode;

/**
 * Which frames both models score in shadow mode. Pure, the same on every JVM, thread-safe; a frame that is processed
 * again after a crash is sampled again or not, as before. The choice is independent of {@link CanarySelector}'s.
 */
public final class ShadowSampler {
    private ShadowSampler() {}

    /**
     * Whether the challenger scores this frame beside the champion.
     *
     * @param rolloutOrNull what is in force
     * @param offset of the frame in its partition
     */
    public static boolean samples(Rollout rolloutOrNull, String cameraId, long offset) {
        if (rolloutOrNull == null
                || rolloutOrNull.getMode() != RolloutMode.SHADOW
                || rolloutOrNull.getChallenger() == null) return false;
        return SelectionHash.percent(SelectionHash.mix(SelectionHash.of(cameraId) + 0x9e3779b97f4a7c15L * (offset + 1)))
                < rolloutOrNull.getPercent();
    }
}

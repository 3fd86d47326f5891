package io.linesight.models.rollouts;

import io.linesight.schemas.Rollout;
import io.linesight.schemas.RolloutMode;

/**
 * Which frames a canary decides. Pure, the same on every JVM, thread-safe.
 *
 * <p>A frame is selected when its camera is among the named ones, or its product is, or its camera falls into the
 * percentage: 64-bit FNV-1a over the UTF-8 of the camera id, finished by splitmix64's mixer, its upper 53 bits as a
 * fraction of 100, below {@code percent}. So a camera stays where it is while a canary runs and from one canary to the
 * next, and raising the percentage only adds cameras.
 */
public final class CanarySelector {
    private CanarySelector() {}

    /**
     * Whether the challenger decides this frame.
     *
     * @param rolloutOrNull what is in force
     * @param productOrNull as the frame has it
     */
    public static boolean selects(Rollout rolloutOrNull, String cameraId, String productOrNull) {
        if (rolloutOrNull == null
                || rolloutOrNull.getMode() != RolloutMode.CANARY
                || rolloutOrNull.getChallenger() == null) return false;
        return rolloutOrNull.getCameras().contains(cameraId)
                || productOrNull != null && rolloutOrNull.getProducts().contains(productOrNull)
                || SelectionHash.percent(SelectionHash.of(cameraId)) < rolloutOrNull.getPercent();
    }
}

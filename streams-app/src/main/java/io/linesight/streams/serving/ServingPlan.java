package io.linesight.streams.serving;

import io.linesight.schemas.Rollout;
import io.linesight.schemas.RolloutMode;
import org.jspecify.annotations.Nullable;

/**
 * What this instance serves at this moment; immutable.
 *
 * @param rollout the decision it follows; null when there is none
 * @param champion version in the champion's slot; null before the start
 * @param challenger version in the challenger's slot; null when there is none to be used, for whatever reason
 */
public record ServingPlan(@Nullable Rollout rollout, @Nullable String champion, @Nullable String challenger) {

    /** The challenger decides for selected frames. */
    public boolean canary() {
        return challenger != null && rollout != null && rollout.getMode() == RolloutMode.CANARY;
    }

    /** The challenger scores a sample beside the champion. */
    public boolean shadow() {
        return challenger != null && rollout != null && rollout.getMode() == RolloutMode.SHADOW;
    }

    /** Revision of the decision; 0 for none. */
    public long revision() {
        return rollout == null ? 0 : rollout.getRevision();
    }
}

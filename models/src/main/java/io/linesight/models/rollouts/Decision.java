package io.linesight.models.rollouts;

import io.linesight.schemas.Rollout;

/** What {@link RolloutRules} say. */
public sealed interface Decision {
    /** It may be done: this is the record to write. */
    record Next(Rollout rollout) implements Decision {}

    /** It may not; a sentence that says why and what to do. */
    record Rejected(String reason) implements Decision {}
}

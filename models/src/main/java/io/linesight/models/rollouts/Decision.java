package io.linesight.models.rollouts;

import io.linesight.schemas.Rollout;

/** Answer of {@link RolloutRules}. */
public sealed interface Decision {
    /** Allowed: the record to write. */
    record Next(Rollout rollout) implements Decision {}

    /** Not allowed; a sentence that says why and what to do. */
    record Rejected(String reason) implements Decision {}
}

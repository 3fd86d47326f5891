package io.linesight.models.rollouts;

import io.linesight.schemas.Rollout;
import java.util.Optional;

/**
 * One record of a channel's history.
 *
 * @param offset in the rollouts topic
 * @param rollout what was written, not to be changed; empty where the bytes could not be read
 * @param counted whether it came into force at its time
 * @param rejection why not, for people; empty if it counted
 */
public record HistoryEntry(long offset, Optional<Rollout> rollout, boolean counted, String rejection) {}

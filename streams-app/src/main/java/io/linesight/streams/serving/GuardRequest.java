package io.linesight.streams.serving;

/** A decision that a guard asks for; see {@link RolloutDecision#ask}. */
record GuardRequest(RolloutDecision.Action action, long revision, String version, String reason) {}

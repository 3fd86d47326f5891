package io.linesight.streams.decision;

import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.checkpoint.VerdictRule;
import org.jspecify.annotations.Nullable;

/** Finds the rule for a frame. Thread-safe; asked for every frame, so it answers at once. */
@FunctionalInterface
public interface DecisionRules {
    /** @param product of the frame; null where it has none */
    DecisionRule of(CheckpointInfo model, @Nullable String product);

    /**
     * The same for all: the checkpoint's thresholds.
     *
     * @param low for every product; null leaves it to the checkpoint
     * @param high likewise
     */
    static DecisionRules fixed(@Nullable Double low, @Nullable Double high) {
        DecisionRule rule = DecisionRule.of(new VerdictRule(low, high));
        return (model, product) -> rule;
    }
}

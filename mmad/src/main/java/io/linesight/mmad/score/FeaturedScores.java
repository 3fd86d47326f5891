package io.linesight.mmad.score;

import io.linesight.mmad.exemption.BatchFeatures;
import org.jspecify.annotations.Nullable;

/**
 * Scores of a batch, and what the encoder saw of it.
 *
 * @param features null where the scorer gives none
 */
public record FeaturedScores(Scores scores, @Nullable BatchFeatures features) {}

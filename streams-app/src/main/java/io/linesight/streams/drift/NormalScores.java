package io.linesight.streams.drift;

import io.linesight.mmad.checkpoint.ScoreQuantiles;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** How a checkpoint says that raw scores of normal images are distributed. Thread-safe, and never waits. */
@FunctionalInterface
public interface NormalScores {

    /** Where no checkpoint is at hand. */
    NormalScores UNKNOWN = (model, product) -> Optional.empty();

    /** @return empty where the model is not in service here, or does not say it */
    Optional<ScoreQuantiles> of(String model, @Nullable String product);
}

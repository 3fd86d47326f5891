package io.linesight.streams.alert;

import io.linesight.models.rollouts.RegistryState;
import io.linesight.streams.drift.NormalScores;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * What the alerts know of models, from the inspection beside which they run. Thread-safe; nothing of it waits.
 *
 * @param normals how a model in service says that scores of normal images are distributed
 * @param registry the newest state of the model registry, the same object while nothing changes; empty where no channel
 *     is followed, and then there are no alerts about models
 */
public record ServedModels(NormalScores normals, Supplier<Optional<RegistryState>> registry) {

    /** Nothing is known of them. */
    public static final ServedModels UNKNOWN = new ServedModels(NormalScores.UNKNOWN, Optional::empty);
}

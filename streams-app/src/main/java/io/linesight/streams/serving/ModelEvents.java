package io.linesight.streams.serving;

import io.linesight.schemas.ModelRole;
import org.jspecify.annotations.Nullable;

/** Counts what happens to models, for metrics. Quick, and must not throw; any thread. */
public interface ModelEvents {

    /** The role is now filled by that version; null when by none. */
    default void serving(ModelRole role, @Nullable String version) {}

    /** A champion was replaced by another. */
    default void swapped() {}

    /** A version was rejected, or a guard took it out of service. */
    default void rejected() {}

    /** A guard took a version out of service; follows {@link #rejected}. */
    default void withdrawn() {}

    ModelEvents NONE = new ModelEvents() {};
}

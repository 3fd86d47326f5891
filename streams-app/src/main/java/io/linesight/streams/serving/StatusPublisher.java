package io.linesight.streams.serving;

import io.linesight.schemas.ModelStatus;

/** Publishes what this instance does. Must not throw; called from the lifecycle's thread and in order. */
@FunctionalInterface
public interface StatusPublisher {
    void publish(ModelStatus status);
}

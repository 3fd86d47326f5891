package io.linesight.streams.routing;

import io.linesight.schemas.ShadowDifference;

/** Publishes how two models judged one frame. Called from the shadow's thread; must not throw. */
@FunctionalInterface
public interface ShadowPublisher {
    void publish(ShadowDifference difference);
}

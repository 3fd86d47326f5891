package io.linesight.streams.routing;

import io.linesight.schemas.ShadowDifference;

/** Takes what two models said about one frame. Called from the shadow's thread; must not throw. */
@FunctionalInterface
public interface ShadowPublisher {
    void publish(ShadowDifference difference);
}

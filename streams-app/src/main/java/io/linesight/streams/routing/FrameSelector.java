package io.linesight.streams.routing;

import io.linesight.schemas.FrameRef;
import io.linesight.schemas.Rollout;
import org.jspecify.annotations.Nullable;

/**
 * Which frames a decision is about: for a canary those that the challenger decides, for a shadow those that both score.
 * Asked for every frame on the stream threads, so it must be quick; thread-safe. A canary's answer must depend on
 * nothing but decision, camera and product, so that a camera stays where it is.
 */
@FunctionalInterface
public interface FrameSelector {

    /** @param product null when the frame names none */
    boolean selects(Rollout rollout, String cameraId, @Nullable String product, FrameRef frame);
}

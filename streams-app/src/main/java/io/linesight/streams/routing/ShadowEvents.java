package io.linesight.streams.routing;

/** Counts shadow samples, for metrics. Quick, and must not throw; any thread. */
public interface ShadowEvents {

    /** Both models have scored a sample. */
    default void compared() {}

    /** A sample was dropped: the queue was full, or the challenger was replaced. */
    default void dropped() {}

    ShadowEvents NONE = new ShadowEvents() {};
}

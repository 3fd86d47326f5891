package io.linesight.streams.serving;

/**
 * Called before every step on state that threads share, so that a test can decide who goes next and try every order
 * there is. Does nothing in service.
 */
@FunctionalInterface
interface Turn {

    Turn NONE = on -> {};

    /** @param on what the step reads or writes; steps on different things may be exchanged without anybody noticing */
    void next(Object on);
}

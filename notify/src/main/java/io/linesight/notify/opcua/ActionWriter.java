package io.linesight.notify.opcua;

import io.linesight.schemas.AlertAction;

/** Writes what people do about alerts to the topic of alert actions. */
@FunctionalInterface
public interface ActionWriter {
    /**
     * Returns when the action is written. Called by one thread at a time.
     *
     * @throws RuntimeException for people, when it is not
     */
    void write(AlertAction action) throws InterruptedException;
}

package io.linesight.streams.model;

import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.Rollout;
import java.util.Optional;

/** The decisions about one channel, as far as this instance has read them. Thread-safe; no method blocks. */
public interface RolloutFeed {

    /** The decision in force; empty while there has never been one. */
    Optional<Rollout> current();

    /** The manifest of a published version; empty when it is unknown, or not read yet. */
    Optional<ModelVersion> version(String version);

    /**
     * Has {@code changed} called after every change of what {@link #current} or {@link #version} say, from any thread; it returns at once.
     *
     * @return ends the subscription
     */
    Subscription listen(Runnable changed);

    /** Ends when closed. */
    interface Subscription extends AutoCloseable {
        @Override
        void close();
    }
}

package io.linesight.streams.serving;

import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.Rollout;
import java.util.List;
import java.util.Optional;

/** The decisions about one channel, as far as this instance has read them. Thread-safe; no method blocks. */
public interface RolloutFeed {

    /** The decision in force; empty while there has never been one. */
    Optional<Rollout> current();

    /**
     * The versions that decisions made champion, the newest first, each once. A starting instance that finds the first
     * refused serves the next one, as those do that were running when it came.
     */
    List<String> champions();

    /** The manifest of a published version; empty when it is unknown, or not read yet. */
    Optional<ModelVersion> version(String version);

    /**
     * Has {@code changed} called after every change of what {@link #current} or {@link #version} say, from any thread;
     * it returns at once.
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

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
     * rejected serves the next one, as those do that were running when it came.
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

    /** The single decision of an app that follows no channel: the configured checkpoint file serves, for good. */
    RolloutFeed FIXED = new RolloutFeed() {
        @Override
        public Optional<Rollout> current() {
            return Optional.empty();
        }

        @Override
        public List<String> champions() {
            return List.of();
        }

        @Override
        public Optional<ModelVersion> version(String version) {
            return Optional.empty();
        }

        @Override
        public Subscription listen(Runnable changed) {
            return () -> {};
        }
    };

    /** Ends when closed. */
    interface Subscription extends AutoCloseable {
        @Override
        void close();
    }
}

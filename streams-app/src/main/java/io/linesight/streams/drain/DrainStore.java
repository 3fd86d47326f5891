package io.linesight.streams.drain;

import java.util.Map;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.StateStoreContext;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.internals.CacheFlushListener;
import org.apache.kafka.streams.state.internals.CachedStateStore;

/**
 * A store that holds nothing: it exists so that a processor is called back before its task commits. See the package for
 * why.
 *
 * <p>Attach it to the one processor that keeps records pending, and register the callback in {@code init()}.
 */
public final class DrainStore implements StateStore, CachedStateStore<Object, Object> {

    private static final Runnable NOTHING = () -> {};

    private final String name;
    private Runnable beforeCommit = NOTHING;
    private boolean open;

    private DrainStore(String name) {
        this.name = name;
    }

    /** A builder for {@code Topology.addStateStore}; no changelog, no cache memory, no disk. */
    public static StoreBuilder<DrainStore> builder(String name) {
        return new Builder(name);
    }

    /** Registers what runs on the stream thread before every commit of this task; replaces an earlier one. */
    public void beforeCommit(Runnable callback) {
        beforeCommit = callback;
    }

    @Override
    public void flushCache() {
        beforeCommit.run();
    }

    @Override
    public void clearCache() {}

    @Override
    public boolean setFlushListener(CacheFlushListener<Object, Object> listener, boolean sendOldValues) {
        return false;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public void init(StateStoreContext context, StateStore root) {
        context.register(root, (key, value) -> {});
        open = true;
    }

    @Override
    public void close() {
        open = false;
        beforeCommit = NOTHING;
    }

    @Override
    public boolean persistent() {
        return false;
    }

    @Override
    public boolean isOpen() {
        return open;
    }

    private record Builder(String name) implements StoreBuilder<DrainStore> {
        @Override
        public StoreBuilder<DrainStore> withCachingEnabled() {
            return this;
        }

        @Override
        public StoreBuilder<DrainStore> withCachingDisabled() {
            return this;
        }

        @Override
        public StoreBuilder<DrainStore> withLoggingEnabled(Map<String, String> config) {
            throw new UnsupportedOperationException("a drain store has nothing to log");
        }

        @Override
        public StoreBuilder<DrainStore> withLoggingDisabled() {
            return this;
        }

        @Override
        public DrainStore build() {
            return new DrainStore(name);
        }

        @Override
        public Map<String, String> logConfig() {
            return Map.of();
        }

        @Override
        public boolean loggingEnabled() {
            return false;
        }
    }
}

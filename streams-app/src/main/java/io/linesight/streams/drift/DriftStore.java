package io.linesight.streams.drift;

import org.jspecify.annotations.Nullable;

/** Where the distributions of cameras and products are kept. Used by one thread at a time. */
public interface DriftStore {

    /** @return null where there is nothing; not to be changed */
    byte @Nullable [] get(String key);

    /** Keeps the array itself. */
    void put(String key, byte[] value);

    /** Does nothing where there is nothing. */
    void delete(String key);
}

package io.linesight.streams.alert;

import io.linesight.streams.drift.DriftStore;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A store in memory, of which copies can be taken. */
final class MapStore implements DriftStore {
    private final Map<String, byte[]> entries = new HashMap<>();

    @Override
    public byte @Nullable [] get(String key) {
        return entries.get(key);
    }

    @Override
    public void put(String key, byte[] value) {
        entries.put(key, value);
    }

    @Override
    public void delete(String key) {
        entries.remove(key);
    }

    Map<String, byte[]> copy() {
        return new HashMap<>(entries);
    }

    void restore(Map<String, byte[]> copy) {
        entries.clear();
        entries.putAll(copy);
    }

    int size() {
        return entries.size();
    }

    long bytes() {
        return entries.values().stream().mapToLong(b -> b.length).sum();
    }
}

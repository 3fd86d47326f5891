package io.linesight.streams.alert;

import io.linesight.streams.alert.AlertMetrics.Held;
import io.linesight.streams.alert.CameraState.LiveAlert;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a task knows of its cameras without reading their states: when each needs a tick, and counts. */
final class CameraBook {

    private record Entry(long due, long seenAt, int active, int unacknowledged) {}

    private final Map<String, Entry> entries = new HashMap<>();
    private int active;
    private int unacknowledged;

    void put(CameraState state, long due) {
        int activeHere = 0;
        int waiting = 0;
        for (LiveAlert a : state.alerts) {
            if (a.active) activeHere++;
            if (!a.acknowledged && a.shelvedUntil == 0 && a.suppressedBy == null) waiting++;
        }
        count(entries.put(state.camera, new Entry(due, state.seenAt, activeHere, waiting)), -1);
        active += activeHere;
        unacknowledged += waiting;
    }

    void remove(String camera) {
        count(entries.remove(camera), -1);
    }

    private void count(@Nullable Entry entry, int sign) {
        if (entry == null) return;
        active += sign * entry.active;
        unacknowledged += sign * entry.unacknowledged;
    }

    void clear() {
        entries.clear();
        active = 0;
        unacknowledged = 0;
    }

    int size() {
        return entries.size();
    }

    boolean contains(String camera) {
        return entries.containsKey(camera);
    }

    /** Cameras that need a tick, at most so many. */
    List<String> due(long now, int max) {
        List<String> due = new ArrayList<>();
        for (Map.Entry<String, Entry> e : entries.entrySet()) {
            if (e.getValue().due > now) continue;
            due.add(e.getKey());
            if (due.size() == max) break;
        }
        return due;
    }

    /** The camera that was seen least recently; null where there is none. */
    @Nullable
    String stalest() {
        String stalest = null;
        long seenAt = Long.MAX_VALUE;
        for (Map.Entry<String, Entry> e : entries.entrySet()) {
            if (e.getValue().seenAt >= seenAt || e.getKey().isEmpty()) continue;
            stalest = e.getKey();
            seenAt = e.getValue().seenAt;
        }
        return stalest;
    }

    Held held() {
        return new Held(entries.size(), active, unacknowledged);
    }
}

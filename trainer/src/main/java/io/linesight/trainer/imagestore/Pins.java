package io.linesight.trainer.imagestore;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Counts who needs each file. Not thread-safe; the store guards it. */
final class Pins {
    private final Map<String, Integer> counts = new HashMap<>();

    void add(Collection<String> files) {
        for (String file : files) counts.merge(file, 1, Integer::sum);
    }

    /** Removes one pin a file; returns the files that have none left. */
    List<String> remove(Collection<String> files) {
        List<String> unpinned = new ArrayList<>();
        for (String file : files) {
            if (counts.merge(file, -1, Integer::sum) > 0) continue;
            counts.remove(file);
            unpinned.add(file);
        }
        return unpinned;
    }

    boolean contains(String file) {
        return counts.containsKey(file);
    }

    Set<String> files() {
        return counts.keySet();
    }
}

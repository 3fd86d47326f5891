package io.linesight.trainer.learning;

import java.util.Map;
import java.util.TreeMap;

/** Counts labels and frames by what became of them; any thread. */
final class LabelCounters {
    static final String NORMAL = "labels.normal";
    static final String ANOMALOUS = "labels.anomalous";
    static final String RETRACTED = "labels.retracted";
    static final String REFUSED = "labels.refused";
    static final String CONTRADICTED = "labels.contradicted";
    static final String SUPERSEDED = "labels.superseded";
    static final String WAITING = "frames.notYet";
    static final String EXPIRED = "frames.expired";
    static final String NOT_A_FRAME = "frames.notAFrame";
    static final String NEVER_CAME = "frames.neverCame";
    static final String SAMPLED = "reservoir.sampled";

    private final Map<String, Long> counts = new TreeMap<>();

    LabelCounters() {
        for (String k : new String[] {
            NORMAL,
            ANOMALOUS,
            RETRACTED,
            REFUSED,
            CONTRADICTED,
            SUPERSEDED,
            WAITING,
            EXPIRED,
            NOT_A_FRAME,
            NEVER_CAME,
            SAMPLED
        }) counts.put(k, 0L);
    }

    synchronized void add(String key) {
        counts.merge(key, 1L, Long::sum);
    }

    synchronized Map<String, Long> snapshot() {
        return new TreeMap<>(counts);
    }
}
